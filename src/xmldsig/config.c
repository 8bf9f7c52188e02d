/* SPDX-License-Identifier: Apache-2.0 */
#include "xmldsig/config.h"

#include <openssl/crypto.h>
#include <stdio.h>

#include "base/text.h"
#include "config/pin_extract.h"
#include "crypto/crypto.h"
#include "xmldsig/sign.h"
#include "xmldsig/verify.h"

#define ID_START  "canonical-sha256-"
#define OBJECT_ID "canonical-configuration"
enum { SIGNATURES_MOST = 16, HASH = 32, ID_SIZE = sizeof ID_START + 2 * HASH };

/* ---- the file as libxml2 may see it ---- */

struct reading {
    struct redacted text;
    xmlDoc *doc; /* of the text in which each PIN is a number */
};

static void reading_free(struct reading *reading)
{
    xmlFreeDoc(reading->doc);
    redacted_free(&reading->text);
}
AUTO_KIND(reading, struct reading, reading_free(p))

static se_status extract_pins(struct redacted *out, se_bytes text, se_error *err)
{
    int line = 0;
    se_status st = pins_extract(out, text, &line, err);

    if (!st)
        return SE_OK;
    if (st == SE_ERR_CONFIG)
        st = error_restate(err, SE_ERR_FORMAT);
    (void)error_prefix(err, st, "line %d: ", line);
    return st;
}

static se_status read_config(struct reading *out, se_bytes text, se_error *err)
{
    TRY(extract_pins(&out->text, text, err));
    writer_put(&out->text.text, "", 1); /* a NUL that is not a part of the text */
    if (out->text.text.failed)
        return error_memory(err);
    out->text.text.buf.size--;
    return xml_tree_read(&out->doc, buf_bytes(&out->text.text.buf), err);
}

/* ---- its canonical form with the PINs in it ---- */

struct refilling {
    const struct redacted *text;
    struct content_hasher *hasher;
    const char *done; /* up to here the text has been hashed */
};

/* An attribute's value as C14N writes it. */
static se_status hash_pin(struct content_hasher *hasher, const char *pin, se_error *err)
{
    static const char special[] = "&<\"\t\n\r";
    static const char *const written[] = { "&amp;", "&lt;", "&quot;", "&#x9;", "&#xA;", "&#xD;" };
    se_status st = SE_OK;

    while (!st && *pin) {
        size_t plain = strcspn(pin, special);

        st = content_hasher_take(hasher, (se_bytes){ pin, plain }, err);
        pin += plain;
        if (!st && *pin)
            st = content_hasher_take(hasher, text_bytes(written[strchr(special, *pin++) - special]),
                                     err);
    }
    return st;
}

static se_status hash_until(struct refilling *r, const char *end, se_error *err)
{
    return content_hasher_take(r->hasher, (se_bytes){ r->done, (size_t)(end - r->done) }, err);
}

static se_status pins_refill(void *arg, const struct scan_item *item, se_error *err)
{
    struct refilling *r = arg;
    const char *value = item->value.data;
    char number[24];
    unsigned long ordinal;

    if (item->element || !pins_is_attribute(item->name))
        return SE_OK;
    (void)snprintf(number, sizeof number, "%.*s", (int)item->value.size, value);
    if (!text_number(&ordinal, number, LONG_MAX) || ordinal >= r->text->pin_count)
        return error_set(err, SE_ERR_CRYPTO, "the canonical form has lost its PINs");
    TRY(hash_until(r, value, err));
    TRY(hash_pin(r->hasher, (const char *)r->text->pins[ordinal].value.data, err));
    r->done = value + item->value.size;
    return SE_OK;
}

static se_status hash_config(struct content_digest *out, enum digest algorithm,
                             const struct reading *reading, const struct xml_c14n *c14n,
                             se_error *err)
{
    AUTO(content_hasher) hasher = { .content = NULL };
    AUTO(writer) plain = { 0 };
    struct refilling r = { .text = &reading->text, .hasher = &hasher };
    int line;

    TRY(content_hasher_want(&hasher, algorithm, err));
    TRY(xml_c14n_write(c14n, reading->doc, NULL, xml_collect, &plain, err));
    r.done = (const char *)plain.buf.data;
    TRY(scan_xml(buf_bytes(&plain.buf), pins_refill, &r, &line, err));
    TRY(hash_until(&r, (const char *)plain.buf.data + plain.buf.size, err));
    return content_hasher_finish(out, &hasher, algorithm, err);
}

/* ---- signing ---- */

static se_status name_canonical(char id[ID_SIZE], se_bytes canonical, se_error *err)
{
    unsigned char hash[HASH];
    size_t size = sizeof hash;

    if (!EVP_Q_digest(crypto_context(), "SHA2-256", NULL, canonical.data, canonical.size, hash,
                      &size))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot hash");
    (void)snprintf(id, ID_SIZE, "%s", ID_START);
    for (size_t i = 0; i < HASH; i++)
        (void)snprintf(id + strlen(ID_START) + 2 * i, 3, "%02x", hash[i]);
    return SE_OK;
}

static se_status add_object(se_buf *out, se_bytes signature, se_bytes canonical, se_error *err)
{
    AUTO(writer) w = { 0 };

    writer_put(&w, signature.data, signature.size);
    writer_text(&w, "<ds:Object Id=\"" OBJECT_ID "\">\n");
    xml_put_escaped(&w, canonical.data);
    writer_text(&w, "</ds:Object>");
    return writer_finish(out, &w, err);
}

se_status xmldsig_config_sign(const struct sign_job *job, se_bytes text, se_bytes canonical,
                              se_error *err)
{
    AUTO(reading) reading = { .doc = NULL };
    AUTO(se_buf) signature = SE_BUF_INIT;
    AUTO(se_buf) whole = SE_BUF_INIT;
    struct xml_plan plan = xml_plan_of(job, "");
    struct scan_end end = { 0 };
    char id[ID_SIZE];
    int line;

    TRY(read_config(&reading, text, err));
    TRY(name_canonical(id, canonical, err));
    plan.doc = reading.doc;
    plan.parent = xmlDocGetRootElement(reading.doc);
    plan.enveloped = true;
    plan.reference_id = id;
    TRY(hash_config(job->digest, job->algorithm->digest, &reading, &plan.c14n, err));
    TRY(xml_signature_make(&signature, &plan, err));
    TRY(add_object(&whole, buf_bytes(&signature), canonical, err));
    TRY(scan_document(&end, text, &line, err));
    return xml_insert(job->out, text, &end, buf_bytes(&whole), err);
}

/* *end is where the text goes on behind it; *found is false when there is none. */
static se_status find_signature(struct scan_end *end, bool *found, se_bytes text, se_error *err)
{
    AUTO(reading) reading = { .doc = NULL };
    const xmlNode *node;
    int line;
    se_status st = read_config(&reading, text, err);

    *found = false;
    if (st)
        return st;
    node = xml_tree_first(xmlDocGetRootElement(reading.doc));
    while (node && !xmldsig_is(node, "Signature"))
        node = xml_tree_next(node);
    if (!node)
        return SE_OK;
    *found = true;
    *end = (struct scan_end){ .element = xml_ordinal(reading.doc, node) };
    return scan_document(end, text, &line, err);
}

static void cut_out(se_buf *text, const struct scan_end *end)
{
    const size_t size = text->size;
    const char *behind = strchr((const char *)text->data + end->offset, '>') + 1;

    text->size -= (size_t)(behind - (const char *)text->data) - end->start;
    memmove(text->data + end->start, behind, text->size - end->start);
    OPENSSL_cleanse(text->data + text->size, size - text->size);
}

/* Each takes time for the whole text. */
se_status xmldsig_config_strip(se_buf *out, se_bytes text, se_error *err)
{
    AUTO(se_buf) rest = SE_BUF_INIT;
    struct scan_end end;
    bool found;
    se_status st = buf_copy(&rest, text, err);

    for (int count = 0; !st && !(st = find_signature(&end, &found, buf_bytes(&rest), err)) && found;
         count++)
        if (count < SIGNATURES_MOST)
            cut_out(&rest, &end);
        else
            st = error_set(err, SE_ERR_FORMAT, "the configuration has more than %d signatures",
                           SIGNATURES_MOST);
    if (!st)
        *out = buf_move(&rest);
    return st;
}

/* ---- verifying ---- */

/* Only what the Reference names by its hash is what the signer has signed. */
static se_status take_canonical(se_buf *out, const struct xml_signature *s, se_error *err)
{
    const xmlNode *text = s->object ? s->object->children : NULL;
    const char *content;
    char id[ID_SIZE];

    if (!s->object)
        return SE_OK;
    if (!text || text->next || text->type != XML_TEXT_NODE || *text->content != '\n')
        return error_set(err, SE_ERR_REJECTED,
                         "the signature's Object is not a canonical configuration");
    content = (const char *)text->content + 1;
    TRY(name_canonical(id, text_bytes(content), err));
    if (strcmp(id, s->reference.id))
        return error_set(err, SE_ERR_REJECTED,
                         "the canonical configuration in the signature was changed");
    return buf_copy(out, text_bytes(content), err);
}

static se_status check_shape(const xmlDoc *doc, const struct xml_signature *s, se_error *err)
{
    if (s->node == xmlDocGetRootElement(doc) || *s->reference.uri || !s->reference.enveloped)
        return error_set(err, SE_ERR_REJECTED,
                         "the signature does not cover the whole configuration");
    return SE_OK;
}

se_status xmldsig_config_verify(struct verdict *out, se_buf *canonical,
                                const struct verify_job *job, se_bytes text, se_error *err)
{
    AUTO(reading) reading = { .doc = NULL };
    AUTO(xml_signature) s = { .node = NULL };
    struct xml_place place;
    se_status st;

    *canonical = (se_buf)SE_BUF_INIT;
    TRY(read_config(&reading, text, err));
    TRY(xmldsig_find(&place, reading.doc, NULL, err));
    TRY(xmldsig_read(&s, place.signature, err));
    TRY(check_shape(reading.doc, &s, err));
    TRY(xmldsig_check_signer(out, job, &s, err));
    TRY(take_canonical(canonical, &s, err));
    xmlUnlinkNode(place.signature);
    st = hash_config(&out->digest, s.reference.digest, &reading, &s.reference.c14n, err);
    xmlFreeNode(place.signature);
    return st ? st : xmldsig_compare(&out->digest, &s.reference, err);
}
