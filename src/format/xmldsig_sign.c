/*
 * Signatures are put into the text of the document, which stays as it is otherwise; the tree that libxml2 makes of it is only for
 * what is hashed.
 */
#include <libxml/parser.h>

#include "base/base64.h"
#include "format/xmlc14n.h"
#include "format/xmldsig.h"
#include "format/xmldsig_digest.h"
#include "format/xmldsig_names.h"
#include "format/xmldsig_value.h"
#include "format/xmltree.h"
#include "key/crypto.h"
#include "model/scan.h"

#define DECLARATION  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define START        "<ds:Signature xmlns:ds=\"" XMLDSIG_NAMESPACE "\">"
#define END          "</ds:Signature>"
#define OBJECT_ID    "signed-object"
#define OBJECT_START "<ds:Object Id=\"" OBJECT_ID "\">"
#define OBJECT_END   "</ds:Object>"

/* What a Reference says, and where its signature will be. */
struct plan {
    const struct sign_job *job;
    struct xml_c14n c14n;
    const char *uri;
    bool enveloped, octets;
    xmlDoc *doc;     /* NULL: the signature is a document of its own, or becomes the root of one */
    xmlNode *parent; /* in `doc` */
};

AUTO_KIND(node_list, xmlNode *, xmlFreeNodeList(*p))

static void put_attribute(struct writer *w, const char *value)
{
    static const char special[] = "&<\"";
    static const char *const written[] = { "&amp;", "&lt;", "&quot;" };

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

static void put_transforms(struct writer *w, const struct plan *plan)
{
    if (plan->octets)
        return;
    writer_text(w, "<ds:Transforms>");
    if (plan->enveloped)
        put_method(w, "Transform", XMLDSIG_ENVELOPED);
    put_method(w, "Transform", plan->c14n.exclusive ? XMLDSIG_EXCLUSIVE : XMLDSIG_C14N);
    writer_text(w, "</ds:Transforms>");
}

static se_status put_base64(struct writer *w, se_bytes bytes, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    se_status st = base64_encode(&text, bytes, err);

    writer_put(w, text.data, text.size);
    return st;
}

static se_status put_signed_info(struct writer *w, const struct plan *plan, const struct xml_digest *digest, se_error *err)
{
    const struct algorithm *algorithm = plan->job->algorithm;
    const char *method = xmldsig_signature_uri(algorithm);
    se_status st;

    if (!method)
        return error_set(err, SE_ERR_POLICY, "XML signatures can't be made with %s", algorithm->name);
    writer_text(w, START "<ds:SignedInfo>");
    put_method(w, "CanonicalizationMethod", plan->c14n.exclusive ? XMLDSIG_EXCLUSIVE : XMLDSIG_C14N);
    put_method(w, "SignatureMethod", method);
    writer_text(w, "<ds:Reference URI=\"");
    put_attribute(w, plan->uri);
    writer_text(w, "\">");
    put_transforms(w, plan);
    put_method(w, "DigestMethod", xmldsig_digest_uri(algorithm->digest));
    writer_text(w, "<ds:DigestValue>");
    st = put_base64(w, (se_bytes){ digest->hash, digest->size }, err);
    writer_text(w, "</ds:DigestValue></ds:Reference></ds:SignedInfo>");
    return st;
}

static se_status put_certificate(struct writer *w, const X509 *certificate, se_error *err)
{
    unsigned char *der = NULL;
    int size = i2d_X509(certificate, &der);
    se_status st;

    if (size < 0)
        return error_memory(err);
    writer_text(w, "<ds:X509Certificate>");
    st = put_base64(w, (se_bytes){ der, (size_t)size }, err);
    writer_text(w, "</ds:X509Certificate>");
    OPENSSL_free(der);
    return st;
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

/* SignedInfo where it will be: inclusive C14N takes in what the elements around it declare. */
static se_status canonical(struct writer *out, const struct plan *plan, se_bytes text, se_error *err)
{
    AUTO(xml_quiet) quiet = xml_quiet_begin();
    AUTO(node_list) list = NULL;
    AUTO(xml_tree) own = NULL;
    xmlNode *signature;
    se_status st;

    if (!plan->doc) {
        if ((st = xml_tree_read(&own, text, err)))
            return st;
        signature = xmlDocGetRootElement(own);
        return xml_c14n_write(&plan->c14n, own, xml_tree_first(signature), xml_collect, out, err);
    }
    if (xmlParseInNodeContext(plan->parent, text.data, (int)text.size, XML_PARSE_NONET, &list) != XML_ERR_OK || !list)
        return error_memory(err);
    signature = list;
    list = NULL;
    if (!xmlAddChild(plan->parent, signature)) {
        xmlFreeNodeList(signature);
        return error_memory(err);
    }
    return xml_c14n_write(&plan->c14n, plan->doc, xml_tree_first(signature), xml_collect, out, err);
}

static se_status sign_info(se_buf *value, const struct plan *plan, const struct writer *head, se_error *err)
{
    AUTO(writer) whole = { 0 };
    AUTO(writer) signed_info = { 0 };
    AUTO(se_buf) text = SE_BUF_INIT;
    se_status st;

    writer_put(&whole, head->buf.data, head->buf.size);
    writer_text(&whole, END);
    if ((st = writer_finish(&text, &whole, err)) || (st = canonical(&signed_info, plan, buf_bytes(&text), err)))
        return st;
    return xmldsig_value_make(value, plan->job->key->private, plan->job->algorithm, buf_bytes(&signed_info.buf), err);
}

/* All of the Signature but its objects and its end tag. */
static se_status make(se_buf *out, const struct plan *plan, const struct xml_digest *digest, se_error *err)
{
    AUTO(writer) w = { 0 };
    AUTO(se_buf) value = SE_BUF_INIT;
    se_status st;

    if ((st = put_signed_info(&w, plan, digest, err)))
        return st;
    if (w.failed)
        return error_memory(err);
    if ((st = sign_info(&value, plan, &w, err)))
        return st;
    writer_text(&w, "<ds:SignatureValue>");
    st = put_base64(&w, buf_bytes(&value), err);
    writer_text(&w, "</ds:SignatureValue>");
    if (st || (st = put_key_info(&w, plan->job->key, err)))
        return st;
    return writer_finish(out, &w, err);
}

static struct plan plan_of(const struct sign_job *job, const char *uri)
{
    return (struct plan){ .job = job, .uri = uri, .c14n = { .exclusive = !job->xml.inclusive } };
}

static se_status hash(struct xml_digest *digest, const struct plan *plan, xmlDoc *doc, const xmlNode *top, se_error *err)
{
    se_status st;

    if ((st = xml_digest_begin(digest, plan->job->algorithm->digest, NULL, err)) ||
        (st = xml_c14n_write(&plan->c14n, doc, top, xml_digest_take, digest, err)))
        return st;
    return xml_digest_end(digest, err);
}

/* ---- enveloped ---- */

static size_t ordinal(const xmlDoc *doc, const xmlNode *wanted)
{
    xmlNode *root = xmlDocGetRootElement(doc);
    size_t count = 0;

    for (xmlNode *node = root; node && node != wanted; node = xml_tree_walk(node, root))
        count++;
    return count;
}

static se_status put(const se_sink *out, const char *text, se_error *err)
{
    return sink_write(out, text_bytes(text), err);
}

/* As the last child of the element whose end tag, or "/>", is at `end`. */
static se_status insert(const se_sink *out, se_bytes text, const struct scan_end *end, se_bytes signature, se_error *err)
{
    const char *at = (const char *)text.data + end->offset;
    size_t rest = text.size - end->offset, skipped = end->empty ? strlen("/>") : 0;
    se_status st;

    if ((st = sink_write(out, (se_bytes){ text.data, end->offset }, err)) || (end->empty && (st = put(out, ">", err))) ||
        (st = sink_write(out, signature, err)) || (st = put(out, END, err)))
        return st;
    if (end->empty && ((st = put(out, "</", err)) || (st = sink_write(out, end->name, err)) || (st = put(out, ">", err))))
        return st;
    return sink_write(out, (se_bytes){ at + skipped, rest - skipped }, err);
}

static se_status choose(struct plan *plan, const xmlNode **top, const char *id, se_error *err)
{
    *top = NULL;
    plan->enveloped = true;
    plan->parent = xmlDocGetRootElement(plan->doc);
    if (!id)
        return SE_OK;
    if (xml_tree_find_id(&plan->parent, plan->doc, id, err))
        return error_restate(err, SE_ERR_FORMAT);
    *top = plan->parent;
    return SE_OK;
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
    AUTO(xml_digest) digest = { .context = NULL };
    struct scan_end end = { 0 };
    const xmlNode *top;
    struct plan plan;
    int line;
    se_status st;

    if ((st = id_reference(&uri, job->xml.id, err)) || (st = xml_read_all(&text, job->in, err)) ||
        (st = xml_tree_read(&doc, buf_bytes(&text), err)))
        return st;
    plan = plan_of(job, (const char *)uri.data);
    plan.doc = doc;
    if ((st = choose(&plan, &top, job->xml.id, err)) || (st = hash(&digest, &plan, doc, top, err)))
        return st;
    end.element = ordinal(doc, plan.parent);
    if ((st = make(&signature, &plan, &digest, err)) || (st = scan_document(&end, buf_bytes(&text), &line, err)))
        return st;
    return insert(job->out, buf_bytes(&text), &end, buf_bytes(&signature), err);
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

static se_status wrap(se_buf *out, se_bytes content, se_error *err)
{
    AUTO(writer) w = { 0 };

    writer_text(&w, START OBJECT_START);
    writer_put(&w, content.data, content.size);
    writer_text(&w, OBJECT_END END);
    return writer_finish(out, &w, err);
}

static se_status put_enveloping(const se_sink *out, se_bytes signature, se_bytes content, se_error *err)
{
    se_status st;

    if ((st = put(out, DECLARATION, err)) || (st = sink_write(out, signature, err)) || (st = put(out, OBJECT_START, err)) ||
        (st = sink_write(out, content, err)))
        return st;
    return put(out, OBJECT_END END "\n", err);
}

se_status xmldsig_sign_enveloping(const struct sign_job *job, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(se_buf) wrapped = SE_BUF_INIT;
    AUTO(se_buf) signature = SE_BUF_INIT;
    AUTO(xml_tree) plain = NULL;
    AUTO(xml_tree) doc = NULL;
    AUTO(xml_digest) digest = { .context = NULL };
    struct plan plan = plan_of(job, "#" OBJECT_ID);
    xmlNode *object;
    se_bytes content;
    se_status st;

    if ((st = xml_read_all(&text, job->in, err)) || (st = xml_tree_read(&plain, buf_bytes(&text), err)))
        return st;
    content = content_of(buf_bytes(&text));
    if ((st = wrap(&wrapped, content, err)) || (st = xml_tree_read(&doc, buf_bytes(&wrapped), err)))
        return st;
    if (xml_tree_find_id(&object, doc, OBJECT_ID, err))
        return error_restate(err, SE_ERR_FORMAT);
    if ((st = hash(&digest, &plan, doc, object, err)) || (st = make(&signature, &plan, &digest, err)))
        return st;
    return put_enveloping(job->out, buf_bytes(&signature), content, err);
}

/* ---- detached ---- */

se_status xmldsig_sign_detached(const struct sign_job *job, se_error *err)
{
    AUTO(xml_digest) digest = { .context = NULL };
    AUTO(se_buf) signature = SE_BUF_INIT;
    struct plan plan = plan_of(job, job->xml.uri);
    se_status st;

    if (!job->xml.uri || !*job->xml.uri || *job->xml.uri == '#')
        return error_set(err, SE_ERR_USAGE, "a detached XML signature needs the URI of what it signs");
    plan.octets = true;
    if ((st = xml_digest_begin(&digest, job->algorithm->digest, NULL, err)) ||
        (st = stream_drain(job->in, xml_digest_take, &digest, err)) || (st = xml_digest_end(&digest, err)) ||
        (st = make(&signature, &plan, &digest, err)) || (st = put(job->out, DECLARATION, err)) ||
        (st = sink_write(job->out, buf_bytes(&signature), err)))
        return st;
    return put(job->out, END "\n", err);
}
