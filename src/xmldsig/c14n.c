/* SPDX-License-Identifier: Apache-2.0 */
#include "xmldsig/c14n.h"

#include <libxml/c14n.h>
#include <stdlib.h>

#include "crypto/crypto.h"
#include "xmldsig/tree.h"

struct passing {
    stream_take_fn take;
    void *arg;
    se_error *err;
    se_status status; /* of the taker */
};

static int piece_pass(void *arg, const char *data, int size)
{
    struct passing *p = arg;

    if (!p->status && size > 0)
        p->status = p->take(p->arg, (se_bytes){ data, (size_t)size }, p->err);
    return p->status ? -1 : size;
}

/* ---- a part of a document ---- */

/* An element of which the node around it has no other children for now. */
struct link {
    xmlNode *node, *prev, *next, *first, *last;
};

/*
 * libxml2 walks the whole document whatever part of it is asked for.  So the document has nothing
 * but `top`, and the elements around it, until narrowing_end().
 */
struct narrowing {
    struct link *links;
    size_t count;
};

static void *const around = &(char){ 0 }; /* _private of what is around */

static se_status narrowing_begin(struct narrowing *out, xmlNode *top, se_error *err)
{
    size_t count = 0;

    for (const xmlNode *node = top; node->parent; node = node->parent)
        count++;
    if (!(out->links = calloc(count + 1, sizeof *out->links)))
        return error_memory(err);
    for (xmlNode *node = top; node->parent; node = node->parent) {
        xmlNode *parent = node->parent;

        out->links[out->count++] =
            (struct link){ node, node->prev, node->next, parent->children, parent->last };
        parent->children = parent->last = node;
        node->prev = node->next = NULL;
        parent->_private = around;
    }
    return SE_OK;
}

static void narrowing_end(struct narrowing *n)
{
    while (n->count--) {
        const struct link *link = &n->links[n->count];
        xmlNode *parent = link->node->parent;

        link->node->prev = link->prev;
        link->node->next = link->next;
        parent->children = link->first;
        parent->last = link->last;
        parent->_private = NULL;
    }
    free(n->links);
}

/* Attributes and namespaces come with their element as `parent`, and a namespace has no parent of
 * its own; the root may come without. */
static int node_visible(void *top, xmlNodePtr node, xmlNodePtr parent)
{
    return node == top || (parent && parent->_private != around);
}

/* ---- */

void xml_c14n_free(struct xml_c14n *c14n)
{
    free(c14n->list);
    c14n->list = NULL;
}

se_status xml_c14n_prefixes(struct xml_c14n *c14n, const char *list, se_error *err)
{
    static const char blanks[] = " \t\r\n";
    size_t count = 0;
    char *rest;

    if (!(c14n->list = strdup(list)))
        return error_memory(err);
    c14n->prefixed = true;
    for (char *at = strtok_r(c14n->list, blanks, &rest); at; at = strtok_r(NULL, blanks, &rest)) {
        if (count == XML_PREFIXES_MAX)
            return error_set(err, SE_ERR_REJECTED, "InclusiveNamespaces with more than %d prefixes",
                             XML_PREFIXES_MAX);
        c14n->prefixes[count++] = (xmlChar *)at;
    }
    return SE_OK;
}

static se_status write_some(const struct xml_c14n *how, xmlDoc *doc, const xmlNode *top,
                            struct passing *passing, se_error *err)
{
    xmlOutputBuffer *out = xmlOutputBufferCreateIO(piece_pass, NULL, passing, NULL);
    xmlChar **prefixes = how->exclusive && how->prefixed ? (xmlChar **)(void *)how->prefixes : NULL;
    int done;

    if (!out)
        return error_memory(err);
    done = xmlC14NExecute(doc, top ? node_visible : NULL, (void *)top,
                          how->exclusive ? XML_C14N_EXCLUSIVE_1_0 : XML_C14N_1_0, prefixes, 0, out);
    if (xmlOutputBufferClose(out) < 0)
        done = -1;
    if (passing->status)
        return passing->status;
    if (done < 0)
        return error_set(err, SE_ERR_FORMAT,
                         "this XML has no canonical form: is a namespace's name a relative URI?");
    return SE_OK;
}

se_status xml_c14n_write(const struct xml_c14n *how, xmlDoc *doc, xmlNode *top, stream_take_fn take,
                         void *arg, se_error *err)
{
    AUTO(xml_quiet) quiet = xml_quiet_begin();
    struct passing passing = { take, arg, err, SE_OK };
    struct narrowing narrowing = { NULL, 0 };
    se_status st;

    if (!top)
        return write_some(how, doc, NULL, &passing, err);
    TRY(narrowing_begin(&narrowing, top, err));
    st = write_some(how, doc, top, &passing, err);
    narrowing_end(&narrowing);
    return st;
}

/* ---- what takes it ---- */

se_status xml_collect(void *writer, se_bytes piece, se_error *err)
{
    struct writer *w = writer;

    writer_put(w, piece.data, piece.size);
    return w->failed ? error_memory(err) : SE_OK;
}

static se_status collect_limited(void *writer, se_bytes piece, se_error *err)
{
    const struct writer *w = writer;

    if (w->buf.size + piece.size > XML_DOCUMENT_LIMIT)
        return error_set(err, SE_ERR_FORMAT, "XML of more than %d bytes is too long",
                         XML_DOCUMENT_LIMIT);
    return xml_collect(writer, piece, err);
}

se_status xml_read_all(se_buf *out, struct stream *in, se_error *err)
{
    AUTO(writer) w = { 0 };

    if (in->source->total && in->source->total <= XML_DOCUMENT_LIMIT)
        writer_expect(&w, (size_t)in->source->total);
    TRY(stream_drain(in, collect_limited, &w, err));
    return writer_finish(out, &w, err);
}
