#include "format/cms_stencil.h"

#include <stdlib.h>
#include <time.h>

#include "format/padding.h"
#include "format/signer_info.h"
#include "key/crypto.h"
#include "key/operate.h"

/* ECDSA's values have up to a handful of sizes, and each its own stencil. */
enum { KEPT_MOST = 24, HEADER = 6 };

AUTO_KIND(md_ctx, EVP_MD_CTX *, EVP_MD_CTX_free(*p))

struct place {
    size_t at, size;
};

struct stencil {
    struct keepsake keepsake;
    const struct algorithm *algorithm;
    bool capabilities;
    se_buf der;
    struct place attributes; /* that are signed; without their header, which has another tag when they are hashed (RFC 5652, 5.4) */
    struct place digest, time, signature;
};

se_status cms_der(se_buf *out, CMS_ContentInfo *cms, se_error *err)
{
    int size = i2d_CMS_ContentInfo(cms, NULL);
    unsigned char *p;
    se_status st;

    if (size <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "cannot encode CMS");
    if ((st = buf_new(out, (size_t)size, err)))
        return st;
    p = out->data;
    return i2d_CMS_ContentInfo(cms, &p) == size ? SE_OK : crypto_error(err, SE_ERR_CRYPTO, "cannot encode CMS");
}

/* ---- finding ---- */

static void release(struct keepsake *self)
{
    struct stencil *s = (struct stencil *)self;

    se_buf_free(&s->der);
    free(s);
}

/* `size`: of the signature's value; 0: any. */
static const struct stencil *find(const struct sign_job *job, size_t size)
{
    for (const struct keepsake *k = key_keepsakes(job->key); k; k = k->next) {
        const struct stencil *s = (const struct stencil *)k;

        if (k->free == release && s->algorithm == job->algorithm && s->capabilities == job->capabilities &&
            (!size || s->signature.size == size))
            return s;
    }
    return NULL;
}

const struct stencil *stencil_find(const struct sign_job *job)
{
    static const int64_t year_1950 = -631152000, year_2050 = 2524608000; /* else signingTime is a GeneralizedTime (RFC 5652, 11.3) */

    return job->time >= year_1950 && job->time < year_2050 ? find(job, 0) : NULL;
}

/* ---- making ---- */

/* Where it is, if that is one place. */
static bool locate(struct place *out, se_bytes in, se_bytes what)
{
    const char *begin = in.data, *end = begin + in.size, *found = memmem(begin, in.size, what.data, what.size);

    if (!found || memmem(found + 1, (size_t)(end - found) - 1, what.data, what.size))
        return false;
    *out = (struct place){ (size_t)(found - begin), what.size };
    return true;
}

static bool ends_with(struct place *out, se_bytes der, size_t end, const ASN1_STRING *value)
{
    size_t size = value ? (size_t)ASN1_STRING_length(value) : 0;

    if (!size || size > end)
        return false;
    *out = (struct place){ end - size, size };
    return memcmp((const char *)der.data + out->at, ASN1_STRING_get0_data(value), size) == 0;
}

static bool locate_attribute(struct place *out, struct stencil *s, se_bytes der, X509_ATTRIBUTE *attribute)
{
    int nid = OBJ_obj2nid(X509_ATTRIBUTE_get0_object(attribute));
    struct place *value = nid == NID_pkcs9_messageDigest ? &s->digest : nid == NID_pkcs9_signingTime ? &s->time : NULL;
    int type = nid == NID_pkcs9_messageDigest ? V_ASN1_OCTET_STRING : V_ASN1_UTCTIME;
    unsigned char *bytes = NULL;
    int size = i2d_X509_ATTRIBUTE(attribute, &bytes);
    bool found = size > 0 && locate(out, der, (se_bytes){ bytes, (size_t)size });

    OPENSSL_free(bytes);
    return found && (!value || ends_with(value, der, out->at + out->size, X509_ATTRIBUTE_get0_data(attribute, 0, type, NULL)));
}

static size_t header(unsigned char out[HEADER], size_t size, int tag, int class)
{
    unsigned char *p = out;

    ASN1_put_object(&p, 1, (int)size, tag, class);
    return (size_t)(p - out);
}

/* Side by side, in whatever order, behind the header of signedAttrs. */
static bool locate_attributes(struct stencil *s, se_bytes der, CMS_SignerInfo *signer)
{
    size_t first = der.size, end = 0, sum = 0, size;
    unsigned char head[HEADER];

    for (int i = 0; i < CMS_signed_get_attr_count(signer); i++) {
        struct place p;

        if (!locate_attribute(&p, s, der, CMS_signed_get_attr(signer, i)))
            return false;
        first = p.at < first ? p.at : first;
        end = p.at + p.size > end ? p.at + p.size : end;
        sum += p.size;
    }
    s->attributes = (struct place){ first, sum };
    size = header(head, sum, 0, V_ASN1_CONTEXT_SPECIFIC);
    return s->digest.size && s->time.size && end - first == sum && first > size &&
           memcmp((const char *)der.data + first - size, head, size) == 0;
}

void stencil_keep(const struct sign_job *job, CMS_ContentInfo *cms, se_bytes der)
{
    CMS_SignerInfo *signer = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
    struct stencil *s = calloc(1, sizeof *s);
    size_t count = 0;

    for (const struct keepsake *k = key_keepsakes(job->key); k; k = k->next)
        count++;
    if (s && count < KEPT_MOST && ends_with(&s->signature, der, der.size, CMS_SignerInfo_get0_signature(signer)) &&
        !find(job, s->signature.size) && locate_attributes(s, der, signer) && !buf_copy(&s->der, der, NULL)) {
        s->keepsake.free = release;
        s->algorithm = job->algorithm;
        s->capabilities = job->capabilities;
        key_keep(job->key, &s->keepsake);
        return;
    }
    free(s);
}

/* ---- signing ---- */

static se_status take(void *context, se_bytes piece, se_error *err)
{
    return EVP_DigestUpdate(context, piece.data, piece.size) ? SE_OK : crypto_error(err, SE_ERR_CRYPTO, "cannot hash");
}

static se_status put_digest(se_buf *der, const struct stencil *s, const struct sign_job *job, EVP_MD_CTX *context, se_error *err)
{
    const EVP_MD *md = crypto_md(s->algorithm->digest);
    se_status st;

    if (!context || EVP_DigestInit_ex2(context, md, NULL) <= 0 || (size_t)EVP_MD_get_size(md) != s->digest.size)
        return crypto_error(err, SE_ERR_CRYPTO, "cannot hash");
    if ((st = stream_drain(job->in, take, context, err)))
        return st;
    if (EVP_DigestFinal_ex(context, der->data + s->digest.at, NULL) <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "cannot hash");
    return SE_OK;
}

static se_status put_time(se_buf *der, const struct stencil *s, int64_t seconds, se_error *err)
{
    char text[sizeof "YYYYMMDDHHMMSSZ"];
    time_t time = seconds;
    struct tm tm;

    if (!gmtime_r(&time, &tm) || strftime(text, sizeof text, "%Y%m%d%H%M%SZ", &tm) != 2 + s->time.size)
        return error_set(err, SE_ERR_CRYPTO, "cannot write the time");
    /* a UTCTime, whose year has two digits */
    memcpy(der->data + s->time.at, text + 2, s->time.size);
    return SE_OK;
}

static se_status sign_attributes(se_buf *out, const struct stencil *s, const struct sign_job *job, const se_buf *der, EVP_MD_CTX *context,
                                 se_error *err)
{
    unsigned char head[HEADER], hash[EVP_MAX_MD_SIZE];
    size_t head_size = header(head, s->attributes.size, V_ASN1_SET, V_ASN1_UNIVERSAL);
    const struct sign_how how = padding_how(s->algorithm, s->digest.size);
    se_status st;

    if (EVP_DigestInit_ex2(context, NULL, NULL) <= 0 || EVP_DigestUpdate(context, head, head_size) <= 0 ||
        EVP_DigestUpdate(context, der->data + s->attributes.at, s->attributes.size) <= 0 || EVP_DigestFinal_ex(context, hash, NULL) <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "cannot hash");
    st = key_sign_hash(out, job->key->private, &how, (se_bytes){ hash, s->digest.size }, err);
    return st ? error_prefix(err, "the signature failed: ") : SE_OK;
}

/* OpenSSL writes the lengths anew that a value of another size changes. */
static se_status encode_anew(se_buf *der, const struct sign_job *job, se_bytes signature, se_error *err)
{
    AUTO(cms) cms = CMS_ContentInfo_new_ex(crypto_context(), NULL);
    const unsigned char *p = der->data;
    CMS_SignerInfo *signer =
        cms && d2i_CMS_ContentInfo(&cms, &p, (long)der->size) ? sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0) : NULL;
    se_status st;

    if (!signer || !ASN1_STRING_set(CMS_SignerInfo_get0_signature(signer), signature.data, (int)signature.size))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot write the signature into CMS");
    se_buf_free(der);
    if ((st = cms_der(der, cms, err)))
        return st;
    stencil_keep(job, cms, buf_bytes(der));
    return SE_OK;
}

static se_status copy_over(se_buf *der, const struct stencil *from, const struct stencil *to, se_error *err)
{
    AUTO(se_buf) old = buf_move(der);
    se_status st = buf_copy(der, buf_bytes(&to->der), err);

    if (st)
        return st;
    memcpy(der->data + to->digest.at, old.data + from->digest.at, to->digest.size);
    memcpy(der->data + to->time.at, old.data + from->time.at, to->time.size);
    return SE_OK;
}

static se_status put_signature(se_buf *der, const struct stencil *s, const struct sign_job *job, se_bytes signature, se_error *err)
{
    const struct stencil *fits = signature.size == s->signature.size ? s : find(job, signature.size);
    se_status st;

    if (!fits)
        return encode_anew(der, job, signature, err);
    if (fits != s && (st = copy_over(der, s, fits, err)))
        return st;
    memcpy(der->data + fits->signature.at, signature.data, signature.size);
    return SE_OK;
}

se_status stencil_sign(const struct stencil *s, const struct sign_job *job, const se_sink *out, se_error *err)
{
    AUTO(md_ctx) context = EVP_MD_CTX_new();
    AUTO(se_buf) der = SE_BUF_INIT;
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_status st;

    if ((st = buf_copy(&der, buf_bytes(&s->der), err)) || (st = put_digest(&der, s, job, context, err)) ||
        (st = put_time(&der, s, job->time, err)) || (st = sign_attributes(&signature, s, job, &der, context, err)) ||
        (st = put_signature(&der, s, job, buf_bytes(&signature), err)))
        return st;
    return sink_write(out, buf_bytes(&der), err);
}
