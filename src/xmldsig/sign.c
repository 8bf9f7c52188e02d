/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures are put into the text of the document, which stays as it is otherwise; what libxml2
 * makes of it is only for what is hashed.
 */
#include "xmldsig/sign.h"

#include <libxml/hash.h>
#include <libxml/parser.h>

#include "base/base64.h"
#include "crypto/crypto.h"
#include "xmldsig/algorithms.h"
#include "xmldsig/xmldsig.h"

/* ---- what all forms have in common ---- */

AUTO_KIND(node_list, xmlNode *, xmlFreeNodeList(*p))

void xml_put_escaped(struct writer *w, const char *value)
{
    static const char special[] = "&<>\"\r";
    static const char *const written[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#xD;" };

    for (; *value; value++) {
        const char *at = strchr(special, *value);

        if (at)
            writer_text(w, written[at - special]);
        else
            writer_put(w, value, 1);
    }
}

static void put_method(struct writer *w, const char *element, const char *uri)
{
    writer_format(w, "<ds:%s Algorithm=\"%s\"></ds:%s>", element, uri, element);
}

static void put_transforms(struct writer *w, const struct xml_plan *plan)
{
    if (plan->octets)
        return;
    writer_text(w, "<ds:Transforms>");
    if (plan->enveloped)
        put_method(w, "Transform", XMLDSIG_ENVELOPED);
    put_method(w, "Transform", plan->c14n.exclusive ? XMLDSIG_EXCLUSIVE : XMLDSIG_C14N);
    writer_text(w, "</ds:Transforms>");
}

static se_status put_signed_info(struct writer *w, const struct xml_plan *plan, se_error *err)
{
    const struct algorithm *algorithm = plan->job->algorithm;
    const char *method = xmldsig_signature_uri(algorithm);

    if (!method)
        return error_set(err, SE_ERR_POLICY, "XML signatures can't be made with %s",
                         algorithm->name);
    writer_text(w, XML_SIGNATURE_START "<ds:SignedInfo>");
    put_method(w, "CanonicalizationMethod",
               plan->c14n.exclusive ? XMLDSIG_EXCLUSIVE : XMLDSIG_C14N);
    put_method(w, "SignatureMethod", method);
    writer_text(w, "<ds:Reference ");
    if (*plan->reference_id)
        writer_format(w, "Id=\"%s\" ", plan->reference_id);
    writer_text(w, "URI=\"");
    xml_put_escaped(w, plan->uri);
    writer_text(w, "\">");
    put_transforms(w, plan);
    put_method(w, "DigestMethod", xmldsig_digest_uri(algorithm->digest));
    writer_text(w, "<ds:DigestValue>");
    writer_base64(w, content_digest_bytes(plan->job->digest));
    writer_text(w, "</ds:DigestValue></ds:Reference></ds:SignedInfo>");
    return SE_OK;
}

static se_status put_certificate(struct writer *w, const X509 *certificate, se_error *err)
{
    unsigned char *der = NULL;
    int size = i2d_X509(certificate, &der);

    if (size < 0)
        return error_memory(err);
    writer_text(w, "<ds:X509Certificate>");
    writer_base64(w, (se_bytes){ der, (size_t)size });
    writer_text(w, "</ds:X509Certificate>");
    OPENSSL_free(der);
    return SE_OK;
}

static se_status put_key_info(struct writer *w, const struct key *key, se_error *err)
{
    se_status st;

    writer_text(w, "<ds:KeyInfo><ds:X509Data>");
    st = put_certificate(w, key->certificate, err);
    for (int i = 0; !st && i < sk_X509_num(key->chain); i++)
        st = put_certificate(w, sk_X509_value(key->chain, i), err);
    writer_text(w, "</ds:X509Data></ds:KeyInfo>");
    return st;
}

/* The Signature becomes a child of plan->parent. */
static se_status texts_join(xmlNode **signature, const struct xml_plan *plan, se_bytes text,
                            se_error *err)
{
    AUTO(xml_quiet) quiet = xml_quiet_begin();
    AUTO(node_list) list = NULL;

    if (xmlParseInNodeContext(plan->parent, text.data, (int)text.size, XML_TREE_PARSE, &list) !=
            XML_ERR_OK ||
        !list)
        return error_memory(err);
    if (!xmlAddChild(plan->parent, list))
        return error_memory(err);
    *signature = MOVE(list);
    return SE_OK;
}

/*
 * `head`: from the start of the Signature to the end of SignedInfo, which is made canonical where
 * it will be: inclusive C14N takes in what the elements around it declare.
 */
static se_status write_canonical(struct writer *out, const struct xml_plan *plan, se_bytes head,
                                 se_error *err)
{
    AUTO(writer) whole = { 0 };
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(xml_tree) own = NULL;
    xmlNode *signature = NULL;
    se_status st = SE_OK;

    writer_put(&whole, head.data, head.size);
    writer_text(&whole, XML_SIGNATURE_END);
    TRY(writer_finish(&text, &whole, err));
    if (plan->doc)
        st = texts_join(&signature, plan, buf_bytes(&text), err);
    else if (!(st = xml_tree_read(&own, buf_bytes(&text), err)))
        signature = xmlDocGetRootElement(own);
    if (st)
        return st;
    return xml_c14n_write(&plan->c14n, plan->doc ? plan->doc : own, xml_tree_first(signature),
                          xml_collect, out, err);
}

static se_status sign_info(se_buf *value, const struct xml_plan *plan, const struct writer *head,
                           se_error *err)
{
    AUTO(writer) signed_info = { 0 };

    TRY(write_canonical(&signed_info, plan, buf_bytes(&head->buf), err));
    return xmldsig_value_make(value, plan->job->key->private, plan->job->algorithm,
                              buf_bytes(&signed_info.buf), err);
}

/* All of the Signature but its objects and its end tag. */
se_status xml_signature_make(se_buf *out, const struct xml_plan *plan, se_error *err)
{
    AUTO(writer) w = { 0 };
    AUTO(se_buf) value = SE_BUF_INIT;

    TRY(put_signed_info(&w, plan, err));
    if (w.failed)
        return error_memory(err);
    TRY(sign_info(&value, plan, &w, err));
    writer_text(&w, "<ds:SignatureValue>");
    writer_base64(&w, buf_bytes(&value));
    writer_text(&w, "</ds:SignatureValue>");
    TRY(put_key_info(&w, plan->job->key, err));
    return writer_finish(out, &w, err);
}

struct xml_plan xml_plan_of(const struct sign_job *job, const char *uri)
{
    return (struct xml_plan){
        .job = job, .uri = uri, .reference_id = "", .c14n = { .exclusive = !job->xml.inclusive }
    };
}

/* `top`, or the whole document. */
static se_status hash_nodes(const struct xml_plan *plan, xmlDoc *doc, xmlNode *top, se_error *err)
{
    const enum digest digest = plan->job->algorithm->digest;
    AUTO(content_hasher) hasher = { .content = NULL };

    TRY(content_hasher_want(&hasher, digest, err));
    TRY(xml_c14n_write(&plan->c14n, doc, top, content_hasher_take, &hasher, err));
    return content_hasher_finish(plan->job->digest, &hasher, digest, err);
}

size_t xml_ordinal(const xmlDoc *doc, const xmlNode *wanted)
{
    xmlNode *root = xmlDocGetRootElement(doc);
    size_t count = 0;

    for (xmlNode *node = root; node && node != wanted; node = xml_tree_walk(node, root))
        count++;
    return count;
}

se_status xml_put(const se_sink *out, const char *text, se_error *err)
{
    return sink_write(out, text_bytes(text), err);
}

/* As the last child of the element whose end tag, or "/>", is at `end`. */
se_status xml_insert(const se_sink *out, se_bytes text, const struct scan_end *end,
                     se_bytes signature, se_error *err)
{
    const char *at = (const char *)text.data + end->offset;
    size_t rest = text.size - end->offset, skipped = end->empty ? strlen("/>") : 0;
    se_status st;

    if ((st = sink_write(out, (se_bytes){ text.data, end->offset }, err)) ||
        (end->empty && (st = xml_put(out, ">", err))) || (st = sink_write(out, signature, err)) ||
        (st = xml_put(out, XML_SIGNATURE_END, err)))
        return st;
    if (end->empty && ((st = xml_put(out, "</", err)) || (st = sink_write(out, end->name, err)) ||
                       (st = xml_put(out, ">", err))))
        return st;
    return sink_write(out, (se_bytes){ at + skipped, rest - skipped }, err);
}

#define DECLARATION  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define OBJECT_ID    "signed-object"
#define OBJECT_START "<ds:Object Id=\"" OBJECT_ID "\">"
#define OBJECT_END   "</ds:Object>"

/* ---- enveloped ---- */

/* What a Reference can name in every implementation is an NCName, as the type of IDs has it. */
static se_status check_id(const char *id, se_error *err)
{
    if (!xmlValidateNCName(BAD_CAST id, 0))
        return SE_OK;
    return error_set(err, SE_ERR_FORMAT,
                     "the ID '%.64s' is no name, so that not everybody would find what is signed",
                     id);
}

static bool is_of_xml(const xmlAttr *attribute)
{
    return attribute->ns && xmlStrEqual(attribute->ns->href, XML_XML_NAMESPACE);
}

/* The names among those in `own` that an ancestor's attribute has too; NULL: none. */
static const char *find_repeated(xmlHashTable *own, const xmlNode *element)
{
    for (const xmlNode *node = element->parent; node && node->type == XML_ELEMENT_NODE;
         node = node->parent)
        for (const xmlAttr *a = node->properties; a; a = a->next)
            if (is_of_xml(a) && xmlHashLookup(own, a->name))
                return (const char *)a->name;
    return NULL;
}

/* Canonical XML 1.0, 2.4: an attribute as xml:lang takes the place of an ancestor's.  The JDK (17)
 * writes both. */
static se_status check_inherited(xmlNode *element, se_error *err)
{
    xmlHashTable *own = xmlHashCreate(0);
    const char *repeated;
    bool failed = !own;

    for (xmlAttr *a = element->properties; !failed && a; a = a->next)
        failed = is_of_xml(a) && xmlHashAddEntry(own, a->name, a);
    repeated = failed ? NULL : find_repeated(own, element);
    xmlHashFree(own, NULL);
    if (failed)
        return error_memory(err);
    if (!repeated)
        return SE_OK;
    return error_set(err, SE_ERR_FORMAT,
                     "'xml:%.64s' is an attribute of the signed element and of one around it, of "
                     "which inclusive canonical forms differ: "
                     "sign without --inclusive",
                     repeated);
}

static se_status plan_choose(struct xml_plan *plan, xmlNode **top, const struct sign_job *job,
                             se_error *err)
{
    const char *id = job->xml.id;
    se_status st;

    *top = NULL;
    plan->enveloped = true;
    plan->parent = xmlDocGetRootElement(plan->doc);
    if (id) {
        if (xml_tree_find_id(&plan->parent, plan->doc, id, err))
            return error_restate(err, SE_ERR_FORMAT);
        if ((st = check_id(id, err)) ||
            (job->xml.inclusive && (st = check_inherited(plan->parent, err))))
            return st;
        *top = plan->parent;
    }
    return xmldsig_check_room(plan->doc, plan->parent, err);
}

static se_status id_reference(se_buf *out, const char *id, se_error *err)
{
    AUTO(writer) w = { 0 };

    if (id)
        writer_format(&w, "#%s", id);
    return writer_finish(out, &w, err);
}

se_status xmldsig_sign_enveloped(const struct sign_job *job, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(se_buf) uri = SE_BUF_INIT;
    AUTO(se_buf) signature = SE_BUF_INIT;
    AUTO(xml_tree) doc = NULL;
    struct scan_end end = { 0 };
    xmlNode *top;
    struct xml_plan plan;
    int line;

    TRY(xml_read_all(&text, job->in, err));
    TRY(id_reference(&uri, job->xml.id, err));
    TRY(xml_tree_read(&doc, buf_bytes(&text), err));
    plan = xml_plan_of(job, (const char *)uri.data);
    plan.doc = doc;
    TRY(plan_choose(&plan, &top, job, err));
    TRY(hash_nodes(&plan, doc, top, err));
    end.element = xml_ordinal(doc, plan.parent);
    TRY(xml_signature_make(&signature, &plan, err));
    TRY(scan_document(&end, buf_bytes(&text), &line, err));
    return xml_insert(job->out, buf_bytes(&text), &end, buf_bytes(&signature), err);
}

/* ---- enveloping ---- */

/* Without what only the beginning of a file can have. */
static se_bytes content_of(se_bytes text)
{
    const char *p = text.data, *end;

    if (!strncmp(p, "\xEF\xBB\xBF", 3))
        p += 3;
    if (!strncmp(p, "<?xml", 5) && strchr(" \t\r\n", p[5]) && (end = strstr(p, "?>")))
        p = end + 2;
    return (se_bytes){ p, text.size - (size_t)(p - (const char *)text.data) };
}

static se_status document_wrap(se_buf *out, se_bytes content, se_error *err)
{
    AUTO(writer) w = { 0 };

    writer_text(&w, XML_SIGNATURE_START OBJECT_START);
    writer_put(&w, content.data, content.size);
    writer_text(&w, OBJECT_END XML_SIGNATURE_END);
    return writer_finish(out, &w, err);
}

static se_status put_enveloping(const se_sink *out, se_bytes signature, se_bytes content,
                                se_error *err)
{
    TRY(xml_put(out, DECLARATION, err));
    TRY(sink_write(out, signature, err));
    TRY(xml_put(out, OBJECT_START, err));
    TRY(sink_write(out, content, err));
    return xml_put(out, OBJECT_END XML_SIGNATURE_END "\n", err);
}

se_status xmldsig_sign_enveloping(const struct sign_job *job, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(se_buf) wrapped = SE_BUF_INIT;
    AUTO(se_buf) signature = SE_BUF_INIT;
    AUTO(xml_tree) plain = NULL;
    AUTO(xml_tree) doc = NULL;
    struct xml_plan plan = xml_plan_of(job, "#" OBJECT_ID);
    const xmlNode *there;
    xmlNode *object;
    se_bytes content;

    TRY(xml_read_all(&text, job->in, err));
    TRY(xml_tree_read(&plain, buf_bytes(&text), err));
    if ((there = xmldsig_first(plain)))
        return error_set(err, SE_ERR_FORMAT,
                         "line %ld: there is a signature already, that might not be good in "
                         "another document: sign --detached",
                         xmlGetLineNo(there));
    content = content_of(buf_bytes(&text));
    TRY(document_wrap(&wrapped, content, err));
    TRY(xml_tree_read(&doc, buf_bytes(&wrapped), err));
    if (xml_tree_find_id(&object, doc, OBJECT_ID, err))
        return error_restate(err, SE_ERR_FORMAT);
    TRY(hash_nodes(&plan, doc, object, err));
    TRY(xml_signature_make(&signature, &plan, err));
    return put_enveloping(job->out, buf_bytes(&signature), content, err);
}

/* ---- detached ---- */

se_status xmldsig_sign_detached(const struct sign_job *job, se_error *err)
{
    AUTO(se_buf) signature = SE_BUF_INIT;
    struct xml_plan plan = xml_plan_of(job, job->xml.uri);

    if (!job->xml.uri || !*job->xml.uri || *job->xml.uri == '#')
        return error_set(err, SE_ERR_USAGE,
                         "a detached XML signature needs the URI of what it signs");
    plan.octets = true;
    TRY(content_digest_make(job->digest, job->algorithm->digest, job->given, job->in, err));
    TRY(xml_signature_make(&signature, &plan, err));
    TRY(xml_put(job->out, DECLARATION, err));
    TRY(sink_write(job->out, buf_bytes(&signature), err));
    return xml_put(job->out, XML_SIGNATURE_END "\n", err);
}
