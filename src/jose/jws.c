/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jws.h"

#include "base/base64.h"
#include "base/text.h"
#include "crypto/pkey_ops.h"
#include "jose/jws_value.h"

/* RFC 7515, 5.1, step 5: the header in base64url, a dot, the payload as it is signed. */
static se_status hash_input(struct content_digest *out, enum digest algorithm, se_bytes protected,
                            se_bytes payload, se_error *err)
{
    const se_bytes pieces[] = { protected, { ".", 1 }, payload };
    AUTO(content_hasher) hasher = { .content = NULL };

    TRY(content_hasher_want(&hasher, algorithm, err));
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        TRY(content_hasher_take(&hasher, pieces[i], err));
    return content_hasher_finish(out, &hasher, algorithm, err);
}

/* ---- signing ---- */

static se_status make_value(se_buf *out, const struct jws_sign_job *job, se_bytes protected,
                            se_bytes payload, se_error *err)
{
    AUTO(se_buf) value = SE_BUF_INIT;
    struct sign_how how;

    TRY(hash_input(job->digest, job->algorithm->digest, protected, payload, err));
    how = padding_how(job->algorithm, job->digest->size);
    TRY(key_sign_hash(&value, job->key->private, &how, content_digest_bytes(job->digest), err));
    if (job->algorithm->family == FAMILY_EC)
        return ecdsa_from_der(out, job->key->private, buf_bytes(&value), err);
    *out = buf_move(&value);
    return SE_OK;
}

static se_status make_header(se_buf *out, const struct jws_sign_job *job, se_error *err)
{
    AUTO(writer) header = { 0 };
    AUTO(se_buf) text = SE_BUF_INIT;

    TRY(jose_header_write(&header, job->algorithm, job->key, job->params, err));
    TRY(writer_finish(&text, &header, err));
    TRY(base64url_encode(out, buf_bytes(&text), err));
    if (out->size <= JOSE_HEADER_LIMIT)
        return SE_OK;
    return error_set(err, SE_ERR_USAGE, "the header would have %zu bytes: more than %d", out->size,
                     JOSE_HEADER_LIMIT);
}

se_status jws_sign(se_buf *out, const struct jws_sign_job *job, se_bytes payload, se_error *err)
{
    const se_jws_sign_params *params = job->params;
    AUTO(se_buf) protected = SE_BUF_INIT;
    AUTO(se_buf) encoded = SE_BUF_INIT;
    AUTO(se_buf) value = SE_BUF_INIT;
    struct jws_parts parts;

    *out = (se_buf)SE_BUF_INIT;
    payload.data = payload.size ? payload.data : "";
    if (params->unencoded && !params->detached)
        TRY(jws_check_unencoded(params->form, payload, err));
    if (!params->unencoded) {
        TRY(base64url_encode(&encoded, payload, err));
        payload = buf_bytes(&encoded);
    }
    TRY(make_header(&protected, job, err));
    TRY(make_value(&value, job, buf_bytes(&protected), payload, err));
    parts = (struct jws_parts){ .protected = buf_bytes(&protected),
                                .signature = buf_bytes(&value),
                                .payload = payload };
    if (params->detached)
        parts.payload = (se_bytes){ NULL, 0 };
    return jws_value_write(out, params->form, &parts, err);
}

/* ---- verifying ---- */

/* The payload as it was signed: borrowed, or made for it. */
struct signed_payload {
    se_bytes bytes;
    se_buf encoded;
};
AUTO_KIND(signed_payload, struct signed_payload, se_buf_free(&p->encoded))

static se_status choose_payload(struct signed_payload *out, se_buf *payload,
                                const struct jws_value *value, se_bytes detached, se_error *err)
{
    if (detached.data && value->has_payload)
        return error_set(err, SE_ERR_FORMAT,
                         "it has its payload inside, and another is given beside it");
    if (!detached.data && value->json && !value->has_payload)
        return error_set(err, SE_ERR_FORMAT, "it has no payload: a detached one has to be given");
    if (!detached.data) {
        out->bytes = value->payload;
        return jws_value_payload(payload, value, err);
    }
    TRY(buf_copy(payload, detached, err));
    out->bytes = detached;
    if (value->unencoded)
        return SE_OK;
    TRY(base64url_encode(&out->encoded, detached, err));
    out->bytes = buf_bytes(&out->encoded);
    return SE_OK;
}

static se_status verify_value(struct content_digest *digest, const struct expected_signer *c,
                              const struct jws_signature *signature, se_bytes payload,
                              se_error *err)
{
    AUTO(se_buf) der = SE_BUF_INIT;
    se_bytes value = buf_bytes(&signature->value);
    struct sign_how how;

    TRY(hash_input(digest, c->algorithm->digest, signature->protected, payload, err));
    how = padding_how(c->algorithm, digest->size);
    if (c->algorithm->family == FAMILY_EC) {
        TRY(ecdsa_to_der(&der, value, err));
        value = buf_bytes(&der);
    }
    return key_verify_hash(X509_get0_pubkey(c->certificate), &how, content_digest_bytes(digest),
                           value, err);
}

/* The algorithm is the descriptor's: what the header says is only compared with it. */
static bool has_algorithm(const struct jws_signature *signature, const struct expected_signer *c)
{
    return strcmp(signature->header.algorithm, c->algorithm->name) == 0;
}

/* Why it is somebody else's; NULL: of no candidate that its header names. */
static se_status refuse_other(const struct jws_signature *signature,
                              const struct expected_signer *named, se_error *err)
{
    if (!named)
        return jose_header_refuse_key(&signature->header, err);
    return error_set(err, SE_ERR_REJECTED, "its algorithm is '%.32s', and the descriptor's is %s",
                     signature->header.algorithm, named->algorithm->name);
}

/* SE_OK with a NULL *out: it is somebody else's, by its key or by its algorithm, and `err` says so.
 */
static se_status find_signer(const struct expected_signer **out, struct content_digest *digest,
                             const struct jws_verify_job *job,
                             const struct jws_signature *signature, se_bytes payload, se_error *err)
{
    const struct expected_signer *named = NULL;
    se_status bad = SE_OK;

    *out = NULL;
    for (size_t i = 0; !*out && i < job->count; i++) {
        const struct expected_signer *c = &job->candidates[i];
        se_error why = SE_ERROR_INIT;
        se_status st;

        if (!jose_header_is_of(&signature->header, c->certificate, job->params->key_id))
            continue;
        named = c;
        if (!has_algorithm(signature, c))
            continue;
        TRY(jose_header_understand(&signature->header, err));
        st = verify_value(digest, c, signature, payload, &why);
        if (st && st != SE_ERR_REJECTED)
            return error_copy(err, st, &why);
        bad = st;
        *out = st ? NULL : c;
    }
    if (*out)
        return SE_OK;
    if (bad)
        return error_set(err, SE_ERR_REJECTED, "the signature does not verify");
    (void)refuse_other(signature, named, err);
    return SE_OK;
}

struct finding {
    const struct expected_signer *signer; /* of the first good signature; NULL: there is none */
    const struct jws_signature *signature;
    struct content_digest digest;
    size_t bad;
    se_error why; /* the first bad one is, or else why the last one counts for nothing */
};

static se_status judge_signature(struct finding *f, const struct jws_verify_job *job,
                                 const struct jws_signature *signature, se_bytes payload,
                                 se_error *err)
{
    const struct expected_signer *signer;
    struct content_digest digest = { .algorithm = DIGEST_NONE };
    se_error why = SE_ERROR_INIT;
    se_status st = find_signer(&signer, &digest, job, signature, payload, &why);

    if (st && st != SE_ERR_REJECTED)
        return error_copy(err, st, &why);
    if (!f->signer)
        f->digest = digest;
    if (signer && !f->signer) {
        f->signer = signer;
        f->signature = signature;
    }
    if (!signer && !f->bad)
        f->why = why;
    f->bad += st != SE_OK;
    return SE_OK;
}

/* Those of the descriptor's all have to be good, and one at least has to be there. */
static se_status judge_all(struct finding *f, const struct jws_verify_job *job,
                           const struct jws_value *value, se_bytes payload, se_error *err)
{
    for (size_t i = 0; i < value->count; i++)
        TRY(judge_signature(f, job, &value->signatures[i], payload, err));
    if (f->signer && (!f->bad || job->params->any))
        return SE_OK;
    (void)error_copy(err, SE_ERR_REJECTED, &f->why);
    return f->signer ? error_suffix(err, SE_ERR_REJECTED,
                                    ", although another of its signatures is "
                                    "good")
                     : SE_ERR_REJECTED;
}

static se_status check_type(const struct jws_verify_job *job, const struct finding *f,
                            se_error *err)
{
    const char *type = job->params->type;

    if (type)
        return jose_header_check_type(&f->signature->header, type, true, err);
    return job->token ? jose_header_check_type(&f->signature->header, "JWT", false, err) : SE_OK;
}

static se_status check_token(const struct jws_value *value, se_error *err)
{
    if (value->json)
        return error_set(err, SE_ERR_FORMAT, "a JWT is compact, and never JSON");
    if (value->unencoded)
        return error_set(err, SE_ERR_FORMAT, "a JWT's claims are encoded, and its 'b64' is false");
    return SE_OK;
}

static se_status verify_read(se_buf *payload, struct verdict *out, const struct jws_verify_job *job,
                             const struct jws_value *value, se_error *err)
{
    AUTO(signed_payload) covered = { .encoded = SE_BUF_INIT };
    struct finding f = { .why = SE_ERROR_INIT };
    se_status st;

    if (job->token)
        TRY(check_token(value, err));
    TRY(choose_payload(&covered, payload, value, job->params->payload, err));
    st = judge_all(&f, job, value, covered.bytes, err);
    out->digest = f.digest;
    TRY(st);
    TRY(check_type(job, &f, err));
    X509_up_ref(f.signer->certificate);
    out->certificate = f.signer->certificate;
    out->algorithm = f.signer->algorithm;
    out->candidate = f.signer;
    return SE_OK;
}

se_status jws_verify(se_buf *payload, struct verdict *out, const struct jws_verify_job *job,
                     se_bytes text, se_error *err)
{
    AUTO(jws_value) value = { .json = NULL };
    AUTO(se_buf) found = SE_BUF_INIT;

    *payload = (se_buf)SE_BUF_INIT;
    TRY(jws_value_read(&value, text, err));
    TRY(verify_read(&found, out, job, &value, err));
    *payload = buf_move(&found);
    return SE_OK;
}

/* ---- whose it is, as it says itself ---- */

static se_status take_piece(void *arg, se_bytes piece, se_error *err)
{
    struct writer *w = arg;

    if (w->buf.size + piece.size > JWS_LIMIT)
        return error_set(err, SE_ERR_FORMAT, "more than %d MB: no JWS", JWS_LIMIT >> 20);
    writer_put(w, piece.data, piece.size);
    return SE_OK;
}

static se_status read_text(se_buf *out, struct stream *in, se_error *err)
{
    AUTO(writer) w = { 0 };

    TRY(stream_drain(in, take_piece, &w, err));
    return writer_finish(out, &w, err);
}

se_status jws_find_signers(bool *made, const struct verify_job *job, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(jws_value) value = { .json = NULL };

    TRY(read_text(&text, job->in, err));
    TRY(jws_value_read(&value, text_trim_end(buf_bytes(&text)), err));
    for (size_t k = 0; k < value.count; k++) {
        const struct jose_header *header = &value.signatures[k].header;

        TRY(jose_header_require_key(header, err));
        for (size_t i = 0; i < job->count; i++)
            made[i] |= jose_header_names(header, job->candidates[i].certificate);
    }
    return SE_OK;
}
