#include "xmldsig/find.h"

#include "xmldsig/read.h"

static se_status find_child(xmlNode **out, const xmlNode *parent, se_error *err)
{
    *out = NULL;
    for (xmlNode *node = xml_tree_first(parent); node; node = xml_tree_next(node)) {
        if (!xmldsig_is(node, "Signature"))
            continue;
        if (*out)
            return error_set(err, SE_ERR_REJECTED,
                             "several signatures beside each other: one can't cover the others");
        *out = node;
    }
    return SE_OK;
}

/* Of the first Reference; what else is in SignedInfo is looked at when it is read. */
static const char *uri_of(const xmlNode *signature)
{
    const xmlNode *info = xml_tree_first(signature), *node = info ? xml_tree_first(info) : NULL;
    const char *uri;

    while (node && !xmldsig_is(node, "Reference"))
        node = xml_tree_next(node);
    uri = node ? xml_tree_attribute(node, "URI") : NULL;
    return uri ? uri : "";
}

static se_status find_about(xmlNode **out, xmlDoc *doc, const char *id, se_error *err)
{
    xmlNode *root = xmlDocGetRootElement(doc);

    *out = NULL;
    for (xmlNode *node = root; node; node = xml_tree_walk(node, root)) {
        const char *uri = xmldsig_is(node, "Signature") ? uri_of(node) : "";

        if (*uri != '#' || strcmp(uri + 1, id))
            continue;
        if (*out)
            return error_set(err, SE_ERR_REJECTED,
                             "several signatures over the element with the ID '%.64s'", id);
        *out = node;
    }
    return SE_OK;
}

static bool within_signature(const xmlNode *node)
{
    for (node = node->parent; node && node->type == XML_ELEMENT_NODE; node = node->parent)
        if (xmldsig_is(node, "Signature"))
            return true;
    return false;
}

static se_status find_by_id(struct xml_place *out, xmlDoc *doc, const char *id, se_error *err)
{
    xmlNode *target;
    se_status st = SE_OK;

    TRY(xml_tree_find_id(&target, doc, id, err));
    TRY(find_child(&out->signature, target, err));
    out->target = target;
    out->id = id;
    out->enveloped = out->signature != NULL;
    if (xmldsig_is(target, "Signature") || within_signature(target))
        return error_set(err, SE_ERR_REJECTED,
                         "the element with the ID '%.64s' is a part of a signature", id);
    if (!out->signature && (st = find_about(&out->signature, doc, id, err)))
        return st;
    if (!out->signature)
        return error_set(err, SE_ERR_FORMAT,
                         "there is no signature over the element with the ID '%.64s'", id);
    if (!out->enveloped && xml_tree_inside(out->signature, target))
        return error_set(err, SE_ERR_REJECTED,
                         "the signature is somewhere inside of what it signs, and not its child");
    return SE_OK;
}

const xmlNode *xmldsig_first(const xmlDoc *doc)
{
    const xmlNode *root = xmlDocGetRootElement(doc), *node = root;

    while (node && !xmldsig_is(node, "Signature"))
        node = xml_tree_walk(node, root);
    return node;
}

/* An enveloping signature is about its Object, and has one. */
static se_status find_object(struct xml_place *out, const xmlNode *signature, se_error *err)
{
    for (xmlNode *node = xml_tree_first(signature); node; node = xml_tree_next(node))
        if (xmldsig_is(node, "Object"))
            out->target = node;
    if (!out->target)
        return error_set(
            err, SE_ERR_FORMAT,
            "the signature has no Object: it is a detached one, and needs the content beside it");
    if (!(out->id = xml_tree_attribute(out->target, "Id")))
        return error_set(err, SE_ERR_REJECTED, "the signature's Object has no Id");
    return SE_OK;
}

se_status xmldsig_find(struct xml_place *out, xmlDoc *doc, const char *id, se_error *err)
{
    xmlNode *root = xmlDocGetRootElement(doc);

    *out = (struct xml_place){ NULL, NULL, NULL, false };
    if (id)
        return find_by_id(out, doc, id, err);
    if (xmldsig_is(root, "Signature")) {
        out->signature = root;
        return find_object(out, root, err);
    }
    TRY(find_child(&out->signature, root, err));
    out->enveloped = true;
    if (out->signature)
        return SE_OK;
    if (xmldsig_first(doc))
        return error_set(
            err, SE_ERR_REJECTED,
            "no signature covers the whole document: say by its ID which element to look at");
    return error_set(err, SE_ERR_FORMAT, "there is no XML signature");
}

/* ---- before signing ---- */

static bool has_id(const xmlNode *node, const char *id)
{
    while (node && node->type == XML_ELEMENT_NODE && !xml_tree_has_id(node, id))
        node = node->parent;
    return node && node->type == XML_ELEMENT_NODE;
}

/* What a Reference names: the whole document, an element with an ID, or (`false`) something
 * outside.  XPointers may be about anything. */
static bool covers(const xmlNode *reference, const xmlNode *parent)
{
    const char *uri = xml_tree_attribute(reference, "URI");

    if (!uri || !*uri || !strncmp(uri, "#xpointer(", strlen("#xpointer(")))
        return true;
    return *uri == '#' && has_id(parent, uri + 1);
}

se_status xmldsig_check_room(xmlDoc *doc, const xmlNode *parent, se_error *err)
{
    xmlNode *root = xmlDocGetRootElement(doc);

    if (xmldsig_is(parent, "Signature") || within_signature(parent))
        return error_set(
            err, SE_ERR_FORMAT,
            "line %ld: <%.64s> is a part of a signature: what has one can be signed --detached",
            xmlGetLineNo(parent), (const char *)parent->name);
    for (const xmlNode *node = xml_tree_first(parent); node; node = xml_tree_next(node))
        if (xmldsig_is(node, "Signature"))
            return error_set(
                err, SE_ERR_FORMAT,
                "line %ld: <%.64s> has a signature already, and can't have two: sign it --detached",
                xmlGetLineNo(node), (const char *)parent->name);
    for (const xmlNode *node = root; node; node = xml_tree_walk(node, root))
        if (xmldsig_is(node, "Reference") && covers(node, parent))
            return error_set(err, SE_ERR_FORMAT,
                             "line %ld: a signature already covers <%.64s>, and would not be good "
                             "any more: sign the document --detached",
                             xmlGetLineNo(node), (const char *)parent->name);
    return SE_OK;
}
