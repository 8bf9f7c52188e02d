#include "provision/provision.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <time.h>

#include "base/utf8.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "provision/answer.h"
#include "provision/incoming.h"
#include "provision/token_slots.h"
#include "provision/wish.h"

enum { DAYS_MOST = 36500 };

AUTO_KIND(bio, BIO *, BIO_free(*p))

static se_status concluded(const struct target *target, se_status st, se_error *err)
{
    if (st)
        (void)error_prefix(err, "%s: ", target->text);
    return st;
}

/* Read back from where it is now. */
static se_status report_key(const struct target *target, const struct provision_report *report,
                            se_error *err)
{
    AUTO(shelf) shelf = NULL;
    se_status st = shelf_open(&shelf, target, ACCESS_LOOK, err);

    return st ? st : shelf->type->list(shelf, true, report, err);
}

/* What is new is called what every reader of it can read: CKA_LABEL is UTF-8, friendlyName is
 * UTF-16, and a PEM file's name is its alias.
 */
static se_status check_name(const struct target *target, se_error *err)
{
    return utf8_is(text_bytes(target->name))
               ? SE_OK
               : error_set(err, SE_ERR_USAGE, "this name is not UTF-8: choose another alias");
}

se_status provision_show(const struct target *target, const struct provision_report *report,
                         se_error *err)
{
    return concluded(target, report_key(target, report, err), err);
}

static bool is_dry(const struct provision_consent *consent)
{
    return consent && consent->dry_run;
}

static se_status ask(struct shelf *shelf, const struct provision_consent *consent, se_error *err)
{
    const struct descriptor *user = target_user(shelf->target, false);
    se_status st;

    if (!consent)
        return SE_OK;
    if ((st = shelf->type->list(shelf, true, &consent->loss, err)) || consent->dry_run)
        return st;
    if (!user)
        user = target_user(shelf->target, true);
    return consent->ask(consent->arg, user ? user->name : NULL, err);
}

/* Looks first: what is there is replaced only when that was asked for. */
static se_status open_free(struct shelf **out, struct target *target, bool force,
                           const struct provision_consent *consent, se_error *err)
{
    bool there;
    se_status st = shelf_open(out, target, ACCESS_USE, err);

    if (st || (st = (*out)->type->holds(&there, *out, err)) || !there)
        return st;
    return force ? ask(*out, consent, err)
                 : error_set(err, SE_ERR_IO, "there is one already: --force replaces it");
}

static se_status generate(struct target *target, const struct key_type *type,
                          const struct certificate_wish *wish, bool force,
                          const struct provision_consent *consent, se_error *err)
{
    AUTO(shelf) shelf = NULL;
    AUTO(pair) made = { NULL, NULL };
    AUTO(x509) certificate = NULL;
    se_status st = open_free(&shelf, target, force, consent, err);

    if (st || is_dry(consent) ||
        (st = shelf->type->generate(&made, shelf, type, wish->wish.uses, err)) ||
        (st = certify_self(&certificate, made.private, made.public, &wish->wish, err)) ||
        (st = shelf->type->put_certificates(shelf, certificate, NULL, err)))
        return st;
    return shelf->type->commit(shelf, REPLACE_ALL, err);
}

se_status provision_generate(struct target *target, const struct provision_wish *wish,
                             const struct provision_report *report, se_error *err)
{
    AUTO(certificate_wish) certificate = { .subject = NULL };
    struct key_type type;
    se_status st;

    if ((st = check_name(target, err)))
        return concluded(target, st, err);
    if (!wish->days || wish->days > DAYS_MOST)
        return error_set(err, SE_ERR_USAGE, "a certificate for %u days: not 1 to %d", wish->days,
                         DAYS_MOST);
    TRY(key_type_parse(&type, wish->type, err));
    TRY(wish_parse(&certificate, wish, target, type.family, err));
    if (!(st = generate(target, &type, &certificate, wish->force, wish->consent, err)) &&
        !is_dry(wish->consent))
        st = report_key(target, report, err);
    return concluded(target, st, err);
}

static se_status open_pair(struct shelf **shelf, struct pair *pair, struct target *target,
                           se_error *err)
{
    se_status st = shelf_open(shelf, target, ACCESS_USE, err);

    return st ? st : (*shelf)->type->find(pair, *shelf, err);
}

static se_status request_text(se_buf *out, X509_REQ *request, se_error *err)
{
    AUTO(bio) bio = BIO_new(BIO_s_mem());
    char *text;
    long size;

    if (!bio || !PEM_write_bio_X509_REQ(bio, request))
        return crypto_error(err, SE_ERR_CRYPTO, "writing the request");
    size = BIO_get_mem_data(bio, &text);
    return buf_copy(out, (se_bytes){ text, (size_t)size }, err);
}

static se_status request(se_buf *out, struct target *target, const struct provision_wish *wish,
                         se_error *err)
{
    AUTO(shelf) shelf = NULL;
    AUTO(pair) pair = { NULL, NULL };
    AUTO(certificate_wish) parsed = { .subject = NULL };
    AUTO(x509_req) made = NULL;
    se_status st = open_pair(&shelf, &pair, target, err);

    if (st || (st = wish_parse(&parsed, wish, target, key_family(pair.public), err)) ||
        (st = certify_request(&made, pair.private, pair.public, &parsed.wish, err)))
        return st;
    return request_text(out, made, err);
}

se_status provision_request(se_buf *out, struct target *target, const struct provision_wish *wish,
                            se_error *err)
{
    *out = (se_buf)SE_BUF_INIT;
    return concluded(target, request(out, target, wish, err), err);
}

static se_status import(struct target *target, const struct incoming *in,
                        const struct provision_import *import, se_error *err)
{
    AUTO(shelf) shelf = NULL;
    unsigned uses = certificate_uses(in->certificate) | uses_wanted(target);
    se_status st = check_name(target, err);

    if (!st && *import->usage)
        st = uses_parse(&uses, import->usage, key_family(in->key), err);
    if (key_family(in->key) == FAMILY_EC)
        uses = USE_SIGN;
    if (st || (st = open_free(&shelf, target, import->force, import->consent, err)) ||
        is_dry(import->consent) || (st = shelf->type->put_key(shelf, in->key, uses, err)) ||
        (st = shelf->type->put_certificates(shelf, in->certificate, in->chain, err)) ||
        (st = shelf->type->commit(shelf, REPLACE_ALL, err)))
        return st;
    return SE_OK;
}

se_status provision_import(struct target *target, const struct provision_import *what,
                           const struct provision_report *report, se_error *err)
{
    AUTO(incoming) in = { .key = NULL };
    se_status st;

    TRY(incoming_read(&in, what, err));
    if (!(st = import(target, &in, what, err)) && !is_dry(what->consent))
        st = report_key(target, report, err);
    return concluded(target, st, err);
}

/* One that is not valid yet stands beside the other until its day has come. */
static se_status certificate(struct target *target, const STACK_OF(X509) * answer, se_error *err)
{
    AUTO(shelf) shelf = NULL;
    AUTO(pair) pair = { NULL, NULL };
    AUTO(x509_stack) chain = NULL;
    X509 *own;
    se_status st = open_pair(&shelf, &pair, target, err);

    if (st || (st = answer_choose(&own, &chain, answer, pair.public, err)) ||
        (st = shelf->type->put_certificates(shelf, own, chain, err)))
        return st;
    return shelf->type->commit(
        shelf, certificate_not_before(own) > time(NULL) ? REPLACE_NOTHING : REPLACE_CERTIFICATE,
        err);
}

se_status provision_certificate(struct target *target, se_bytes file,
                                const struct provision_report *report, se_error *err)
{
    AUTO(x509_stack) answer = NULL;
    se_status st;

    TRY(answer_read(&answer, file, err));
    if (!(st = certificate(target, answer, err)))
        st = report_key(target, report, err);
    return concluded(target, st, err);
}

static se_status remove_key(struct target *target, const struct provision_consent *consent,
                            se_error *err)
{
    AUTO(shelf) shelf = NULL;
    bool there;
    se_status st = shelf_open(&shelf, target, ACCESS_USE, err);

    if (st || (st = shelf->type->holds(&there, shelf, err)))
        return st;
    if (!there)
        return error_set(err, SE_ERR_KEY, "there is no such key");
    if ((st = ask(shelf, consent, err)) || is_dry(consent))
        return st;
    return shelf->type->commit(shelf, REPLACE_ALL, err);
}

se_status provision_delete(struct target *target, const struct provision_consent *consent,
                           se_error *err)
{
    return concluded(target, remove_key(target, consent, err), err);
}

static se_status list(struct target *target, const struct provision_report *report, se_error *err)
{
    AUTO(shelf) shelf = NULL;
    bool more = true;
    se_status st =
        strcmp(target->ref.store, "HSM") ? SE_OK : token_slots(&more, target, report, err);

    if (st || !more || (st = shelf_open(&shelf, target, ACCESS_LOOK, err)))
        return st;
    return shelf->type->list(shelf, false, report, err);
}

se_status provision_list(struct target *target, const struct provision_report *report,
                         se_error *err)
{
    return concluded(target, list(target, report, err), err);
}
