/* SPDX-License-Identifier: Apache-2.0 */
/* First the place, then what the signature says, then who signed it, and only then what was signed.
 */
#include "xmldsig/xmldsig.h"

#include <openssl/crypto.h>

#include "crypto/cert_path.h"
#include "crypto/certificate.h"
#include "xmldsig/algorithms.h"
#include "xmldsig/verify.h"

/* ---- who ---- */

/* That of the candidate, or another one of its key; NULL: he has not signed.  Without certificates
 * in KeyInfo it can be any. */
static X509 *find_certificate(const struct expected_signer *candidate,
                              const struct xml_signature *s)
{
    if (sk_X509_num(s->certificates) <= 0 ||
        certificates_hold(s->certificates, candidate->certificate))
        return candidate->certificate;
    for (int i = 0; i < sk_X509_num(s->certificates); i++)
        if (trust_is_renewal(candidate, sk_X509_value(s->certificates, i)))
            return sk_X509_value(s->certificates, i);
    return NULL;
}

static se_status try_signer(struct verdict *out, const struct xml_signature *s, X509 *certificate,
                            se_bytes signed_info, se_error *err)
{
    TRY(xmldsig_value_check(buf_bytes(&s->value), X509_get0_pubkey(certificate), s->algorithm,
                            signed_info, err));
    X509_up_ref(certificate);
    *out = (struct verdict){ .certificate = certificate, .algorithm = s->algorithm };
    return SE_OK;
}

/* The last refusal is told: of several versions without a hint it is as good as the others. */
static se_status find_candidate(struct verdict *out, const struct verify_job *job,
                                const struct xml_signature *s, se_bytes signed_info, se_error *err)
{
    se_error why = SE_ERROR_INIT;
    se_status st = SE_ERR_REJECTED;

    for (size_t i = 0; st && i < job->count; i++) {
        const struct expected_signer *candidate = &job->candidates[i];
        X509 *certificate = find_certificate(candidate, s);

        if (!certificate)
            continue;
        why = (se_error)SE_ERROR_INIT;
        if (candidate->algorithm != s->algorithm)
            st = error_set(&why, SE_ERR_REJECTED, "signed with %s, the descriptor says %s",
                           s->algorithm->name, candidate->algorithm->name);
        else if (!(st = try_signer(out, s, certificate, signed_info, &why)))
            out->candidate = candidate;
        if (st && st != SE_ERR_REJECTED)
            return error_set(err, st, "%s", why.text);
    }
    if (!st)
        return SE_OK;
    if (why.status)
        return error_set(err, why.status, "%s", why.text);
    return trust_refuse_signer(job, sk_X509_value(s->certificates, 0), "", err);
}

static se_status find_trusted(struct verdict *out, const struct verify_job *job,
                              const struct xml_signature *s, se_bytes signed_info, se_error *err)
{
    se_error why = SE_ERROR_INIT;
    se_status st = SE_ERR_REJECTED;

    for (int i = 0; st && i < sk_X509_num(s->certificates); i++) {
        why = (se_error)SE_ERROR_INIT;
        st = try_signer(out, s, sk_X509_value(s->certificates, i), signed_info, &why);
    }
    if (st && !why.status)
        return error_set(
            err, SE_ERR_REJECTED,
            "the signer's certificate is neither part of the signature nor the descriptor's");
    if (st)
        return error_set(err, st, "%s", why.text);
    return trust_check(out, s->certificates, job, job->time, err);
}

static se_status find_signer(struct verdict *out, const struct verify_job *job,
                             const struct xml_signature *s, se_error *err)
{
    AUTO(writer) signed_info = { 0 };

    TRY(xml_c14n_write(&s->c14n, s->node->doc, s->signed_info, xml_collect, &signed_info, err));
    if (!job->roots)
        return find_candidate(out, job, s, buf_bytes(&signed_info.buf), err);
    if (job->count && !find_candidate(out, job, s, buf_bytes(&signed_info.buf), NULL))
        return trust_check(out, s->certificates, job, job->time, err);
    return find_trusted(out, job, s, buf_bytes(&signed_info.buf), err);
}

se_status xmldsig_check_signer(struct verdict *out, const struct verify_job *job,
                               const struct xml_signature *s, se_error *err)
{
    TRY(find_signer(out, job, s, err));
    if (s->certificates && !(out->brought = X509_chain_up_ref(s->certificates)))
        return error_memory(err);
    return SE_OK;
}

/* ---- what ---- */

static se_status reference_elsewhere(const char *uri, se_error *err)
{
    if (!strncmp(uri, "#xpointer(", 10))
        return error_set(err, SE_ERR_REJECTED,
                         "the Reference '%.64s' is an XPointer, which is not accepted", uri);
    if (*uri == '#' || !*uri)
        return error_set(err, SE_ERR_REJECTED,
                         "the signature is about '%.64s', and not about what it should cover", uri);
    return error_set(err, SE_ERR_REJECTED,
                     "the Reference '%.150s' leads out of the document, and nothing is fetched",
                     uri);
}

/* The whole document has two names: "", and "#" with an ID of its root. */
static se_status check_reference(const struct xml_place *place, const xmlDoc *doc,
                                 const struct xml_reference *r, se_error *err)
{
    xmlNode *named;
    se_status st = SE_OK;

    if (*r->uri != '#' && (*r->uri || place->id))
        return reference_elsewhere(r->uri, err);
    if (place->id && strcmp(r->uri + 1, place->id))
        return reference_elsewhere(r->uri, err);
    if (*r->uri) {
        if ((st = xml_tree_find_id(&named, doc, r->uri + 1, NULL)) &&
            strncmp(r->uri, "#xpointer(", 10) == 0)
            return reference_elsewhere(r->uri, err);
        TRY(xml_tree_find_id(&named, doc, r->uri + 1, err));
        if (named != (place->target ? place->target : xmlDocGetRootElement(doc)))
            return reference_elsewhere(r->uri, err);
    }
    if (r->enveloped != place->enveloped)
        return error_set(
            err, SE_ERR_REJECTED,
            place->enveloped
                ? "the signature is inside of what it signs, and does not leave itself out"
                : "the signature leaves itself out, but is not inside of what it signs");
    return SE_OK;
}

se_status xmldsig_compare(const struct content_digest *digest, const struct xml_reference *r,
                          se_error *err)
{
    if (digest->size == r->value.size && !CRYPTO_memcmp(digest->value, r->value.data, digest->size))
        return SE_OK;
    return error_set(err, SE_ERR_REJECTED, "the content is not what was signed");
}

/* The signature leaves the tree: nothing of it can be taken for content any more. */
static se_status check_content(struct verdict *out, const struct verify_job *job,
                               const struct xml_place *place, const struct xml_reference *r,
                               se_error *err)
{
    AUTO(content_hasher) hasher = { .content = job->content };
    xmlDoc *doc = place->signature->doc;
    xmlNode *top = *r->uri ? (place->target ? place->target : xmlDocGetRootElement(doc)) : NULL;

    TRY(content_hasher_want(&hasher, r->digest, err));
    TRY(xml_c14n_write(&r->c14n, doc, top, content_hasher_take, &hasher, err));
    TRY(content_hasher_finish(&out->digest, &hasher, r->digest, err));
    return xmldsig_compare(&out->digest, r, err);
}

static se_status verify_document(struct verdict *out, const struct verify_job *job, xmlDoc *doc,
                                 se_error *err)
{
    AUTO(xml_signature) s = { .node = NULL };
    struct xml_place place;
    se_status st;

    TRY(xmldsig_find(&place, doc, job->xml.id, err));
    TRY(xmldsig_read(&s, place.signature, err));
    TRY(xmldsig_check_signer(out, job, &s, err));
    TRY(check_reference(&place, doc, &s.reference, err));
    if (s.object && s.object != place.target)
        return error_set(err, SE_ERR_REJECTED, "the signature has an Object that it does not sign");
    if (place.enveloped)
        xmlUnlinkNode(place.signature);
    st = check_content(out, job, &place, &s.reference, err);
    if (place.enveloped)
        xmlFreeNode(place.signature);
    return st;
}

se_status xmldsig_verify(struct verdict *out, const struct verify_job *job, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(xml_tree) doc = NULL;

    TRY(xml_read_all(&text, job->in, err));
    TRY(xml_tree_read(&doc, buf_bytes(&text), err));
    return verify_document(out, job, doc, err);
}

/* ---- detached ---- */

static se_status check_detached(const struct xml_signature *s, const xmlDoc *doc, const char *uri,
                                se_error *err)
{
    if (s->object)
        return error_set(err, SE_ERR_REJECTED,
                         "the signature carries an Object: it is no detached one");
    if (s->node != xmlDocGetRootElement(doc))
        return error_set(err, SE_ERR_FORMAT,
                         "a detached XML signature is a document whose root is <Signature>");
    if (!*s->reference.uri || *s->reference.uri == '#')
        return error_set(err, SE_ERR_REJECTED, "the signature is about '%.64s' of its own document",
                         s->reference.uri);
    if (uri && strcmp(uri, s->reference.uri))
        return error_set(err, SE_ERR_REJECTED, "the signature is about '%.150s', not '%.150s'",
                         s->reference.uri, uri);
    if (s->reference.transformed)
        return error_set(err, SE_ERR_REJECTED,
                         "transforms of a content that is outside are not accepted");
    return SE_OK;
}

se_status xmldsig_verify_detached(struct verdict *out, const struct verify_job *job, se_error *err)
{
    AUTO(xml_signature) s = { .node = NULL };
    AUTO(xml_tree) doc = NULL;
    AUTO(se_buf) text = SE_BUF_INIT;

    TRY(buf_copy(&text, job->signature, err));
    TRY(xml_tree_read(&doc, buf_bytes(&text), err));
    TRY(xmldsig_read(&s, xmlDocGetRootElement(doc), err));
    TRY(check_detached(&s, doc, job->xml.uri, err));
    TRY(xmldsig_check_signer(out, job, &s, err));
    TRY(content_digest_make(&out->digest, s.reference.digest, job->given, job->in, err));
    return xmldsig_compare(&out->digest, &s.reference, err);
}

/* ---- who, without verifying ---- */

static bool says_signed_by(const struct xml_signature *s, const struct expected_signer *candidate)
{
    for (int i = 0; i < sk_X509_num(s->certificates); i++)
        if (certificate_has_key(sk_X509_value(s->certificates, i),
                                X509_get0_pubkey(candidate->certificate)))
            return s->algorithm == candidate->algorithm;
    return false;
}

static se_status note_signers(bool *made, const struct verify_job *job, xmlNode *node,
                              se_error *err)
{
    AUTO(xml_signature) s = { .node = NULL };

    TRY(xmldsig_read(&s, node, err));
    if (sk_X509_num(s.certificates) <= 0)
        return error_set(err, SE_ERR_REJECTED, "the signature does not say who has made it");
    for (size_t i = 0; i < job->count; i++)
        made[i] |= says_signed_by(&s, &job->candidates[i]);
    return SE_OK;
}

se_status xmldsig_find_signers(bool *made, const struct verify_job *job, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(xml_tree) doc = NULL;
    xmlNode *root;

    TRY(xml_read_all(&text, job->in, err));
    TRY(xml_tree_read(&doc, buf_bytes(&text), err));
    root = xmlDocGetRootElement(doc);
    for (xmlNode *at = root; at; at = xml_tree_walk(at, root))
        if (xmldsig_is(at, "Signature"))
            TRY(note_signers(made, job, at, err));
    return SE_OK;
}
