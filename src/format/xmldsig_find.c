#include "format/xmldsig_find.h"

#include "format/xmldsig_read.h"

static se_status find_child(xmlNode **out, const xmlNode *parent, se_error *err)
{
    *out = NULL;
    for (xmlNode *node = xml_tree_first(parent); node; node = xml_tree_next(node)) {
        if (!xmldsig_is(node, "Signature"))
            continue;
        if (*out)
            return error_set(err, SE_ERR_REJECTED, "several signatures beside each other: one can't cover the others");
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
            return error_set(err, SE_ERR_REJECTED, "several signatures over the element with the ID '%.64s'", id);
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
    se_status st;

    if ((st = xml_tree_find_id(&target, doc, id, err)) || (st = find_child(&out->signature, target, err)))
        return st;
    out->target = target;
    out->id = id;
    out->enveloped = out->signature != NULL;
    if (xmldsig_is(target, "Signature") || within_signature(target))
        return error_set(err, SE_ERR_REJECTED, "the element with the ID '%.64s' is a part of a signature", id);
    if (!out->signature && (st = find_about(&out->signature, doc, id, err)))
        return st;
    if (!out->signature)
        return error_set(err, SE_ERR_FORMAT, "there is no signature over the element with the ID '%.64s'", id);
    if (!out->enveloped && xml_tree_inside(out->signature, target))
        return error_set(err, SE_ERR_REJECTED, "the signature is somewhere inside of what it signs, and not its child");
    return SE_OK;
}

static bool any_signature(const xmlNode *root)
{
    for (const xmlNode *node = root; node; node = xml_tree_walk(node, root))
        if (xmldsig_is(node, "Signature"))
            return true;
    return false;
}

/* An enveloping signature is about its Object, and has one. */
static se_status find_object(struct xml_place *out, const xmlNode *signature, se_error *err)
{
    for (const xmlNode *node = xml_tree_first(signature); node; node = xml_tree_next(node))
        if (xmldsig_is(node, "Object"))
            out->target = node;
    if (!out->target)
        return error_set(err, SE_ERR_FORMAT, "the signature has no Object: it is a detached one, and needs the content beside it");
    if (!(out->id = xml_tree_attribute(out->target, "Id")))
        return error_set(err, SE_ERR_REJECTED, "the signature's Object has no Id");
    return SE_OK;
}

se_status xmldsig_find(struct xml_place *out, xmlDoc *doc, const char *id, se_error *err)
{
    xmlNode *root = xmlDocGetRootElement(doc);
    se_status st;

    *out = (struct xml_place){ NULL, NULL, NULL, false };
    if (id)
        return find_by_id(out, doc, id, err);
    if (xmldsig_is(root, "Signature")) {
        out->signature = root;
        return find_object(out, root, err);
    }
    if ((st = find_child(&out->signature, root, err)))
        return st;
    out->enveloped = true;
    if (out->signature)
        return SE_OK;
    if (any_signature(root))
        return error_set(err, SE_ERR_REJECTED, "no signature covers the whole document: say by its ID which element to look at");
    return error_set(err, SE_ERR_FORMAT, "there is no XML signature");
}
