#include "xmldsig/digest.h"

#include "crypto/crypto.h"
#include "xmldsig/tree.h"

se_status xml_digest_begin(struct xml_digest *out, enum digest digest, const se_sink *content,
                           se_error *err)
{
    *out = (struct xml_digest){ .context = EVP_MD_CTX_new(), .content = content };
    if (out->context && crypto_md(digest) &&
        EVP_DigestInit_ex2(out->context, crypto_md(digest), NULL))
        return SE_OK;
    return crypto_error(err, SE_ERR_CRYPTO, "cannot hash with %s", digest_name(digest));
}

se_status xml_digest_take(void *digest, se_bytes piece, se_error *err)
{
    const struct xml_digest *d = digest;

    if (!EVP_DigestUpdate(d->context, piece.data, piece.size))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot hash");
    return d->content ? sink_write(d->content, piece, err) : SE_OK;
}

se_status xml_digest_end(struct xml_digest *digest, se_error *err)
{
    return EVP_DigestFinal_ex(digest->context, digest->hash, &digest->size)
               ? SE_OK
               : crypto_error(err, SE_ERR_CRYPTO, "cannot hash");
}

void xml_digest_free(struct xml_digest *digest)
{
    EVP_MD_CTX_free(digest->context);
}

se_status xml_collect(void *writer, se_bytes piece, se_error *err)
{
    struct writer *w = writer;

    writer_put(w, piece.data, piece.size);
    return w->failed ? error_memory(err) : SE_OK;
}

static se_status collect_some(void *writer, se_bytes piece, se_error *err)
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
    TRY(stream_drain(in, collect_some, &w, err));
    return writer_finish(out, &w, err);
}
