/*
 * Signatures are put into the text of the document, which stays as it is otherwise; what libxml2
 * makes of it is only for what is hashed.
 */
#include <libxml/hash.h>

#include "xmldsig/find.h"
#include "xmldsig/make.h"
#include "xmldsig/tree.h"
#include "xmldsig/xmldsig.h"

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

static se_status choose(struct xml_plan *plan, xmlNode **top, const struct sign_job *job,
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
    AUTO(xml_digest) digest = { .context = NULL };
    struct scan_end end = { 0 };
    xmlNode *top;
    struct xml_plan plan;
    int line;

    TRY(xml_read_all(&text, job->in, err));
    TRY(id_reference(&uri, job->xml.id, err));
    TRY(xml_tree_read(&doc, buf_bytes(&text), err));
    plan = xml_plan_of(job, (const char *)uri.data);
    plan.doc = doc;
    TRY(choose(&plan, &top, job, err));
    TRY(xml_hash(&digest, &plan, doc, top, err));
    end.element = xml_ordinal(doc, plan.parent);
    TRY(xml_signature_make(&signature, &plan, &digest, err));
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

static se_status wrap(se_buf *out, se_bytes content, se_error *err)
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
    AUTO(xml_digest) digest = { .context = NULL };
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
    TRY(wrap(&wrapped, content, err));
    TRY(xml_tree_read(&doc, buf_bytes(&wrapped), err));
    if (xml_tree_find_id(&object, doc, OBJECT_ID, err))
        return error_restate(err, SE_ERR_FORMAT);
    TRY(xml_hash(&digest, &plan, doc, object, err));
    TRY(xml_signature_make(&signature, &plan, &digest, err));
    return put_enveloping(job->out, buf_bytes(&signature), content, err);
}

/* ---- detached ---- */

se_status xmldsig_sign_detached(const struct sign_job *job, se_error *err)
{
    AUTO(xml_digest) digest = { .context = NULL };
    AUTO(se_buf) signature = SE_BUF_INIT;
    struct xml_plan plan = xml_plan_of(job, job->xml.uri);

    if (!job->xml.uri || !*job->xml.uri || *job->xml.uri == '#')
        return error_set(err, SE_ERR_USAGE,
                         "a detached XML signature needs the URI of what it signs");
    plan.octets = true;
    TRY(xml_digest_begin(&digest, job->algorithm->digest, NULL, err));
    TRY(stream_drain(job->in, xml_digest_take, &digest, err));
    TRY(xml_digest_end(&digest, err));
    TRY(xml_signature_make(&signature, &plan, &digest, err));
    TRY(xml_put(job->out, DECLARATION, err));
    TRY(sink_write(job->out, buf_bytes(&signature), err));
    return xml_put(job->out, XML_SIGNATURE_END "\n", err);
}
