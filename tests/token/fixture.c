/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/token/fixture.h"

#include <dlfcn.h>
#include <limits.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/breaker.h"
#include "crypto/crypto.h"
#include "crypto/provider_keymgmt.h"
#include "keystore/pkcs11/token.h"

char softhsm[PATH_MAX];
const char shim_path[] = SHIM;
static struct keyref *refs[100];
static size_t ref_count;
static char folder[500] = "/tmp/signengine-token.XXXXXX";
static struct faults *faults;

static bool find_softhsm(void)
{
    FILE *f = popen("sh \"$top_srcdir/tests/lib/find-library.sh\" libsofthsm2.so", "r");
    char line[PATH_MAX];
    bool found = f && fgets(line, sizeof line, f);

    if (f)
        pclose(f);
    if (found)
        line[strcspn(line, "\n")] = '\0';
    return found && realpath(line, softhsm);
}

static void need(bool there, const char *what)
{
    if (there)
        return;
    printf("SKIPPED: %s is not installed\n", what);
    exit(77);
}

int fixture_make(void **state)
{
    FILE *f;

    (void)state;
    need(find_softhsm(), "libsofthsm2.so");
    need(!system("command -v softhsm2-util pkcs11-tool openssl >/dev/null"),
         "softhsm2-util, pkcs11-tool or openssl");
    if (!mkdtemp(folder) || mkdir(file_of("tokens"), 0700) ||
        !(f = fopen(file_of("softhsm.conf"), "w")))
        return -1;
    fprintf(f, "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n",
            file_of("tokens"));
    fclose(f);
    setenv("SOFTHSM2_CONF", file_of("softhsm.conf"), 1);
    setenv("XDG_RUNTIME_DIR", folder, 1);
    setenv("SHIM_MODULE", softhsm, 1);
    unsetenv("OPENSSL_CONF");
    return 0;
}

int fixture_given(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s", getenv("TOKEN_FOLDER"));
    return 0;
}

int fixture_release(void **state)
{
    (void)state;
    while (ref_count) {
        struct keyref *ref = refs[--ref_count];

        se_buf_free(&ref->pin);
        free((void *)ref->alias);
        free((void *)ref->token_label);
        free(ref);
    }
    return 0;
}

int fixture_drop(void **state)
{
    run("rm -rf '%s'", folder);
    return fixture_release(state);
}

const char *file_of(const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned turn;
    char *path = paths[turn++ % 4];

    snprintf(path, PATH_MAX, "%s/%s", folder, name);
    return path;
}

static void show(const char *path)
{
    char line[1000];
    FILE *f = fopen(path, "r");

    while (f && fgets(line, sizeof line, f))
        fputs(line, stderr);
    if (f)
        fclose(f);
}

void run(const char *format, ...)
{
    char command[4096], whole[5000];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    snprintf(whole, sizeof whole, "cd '%s' && { %s; } >log 2>&1 </dev/null", folder, command);
    if (!system(whole))
        return;
    show(file_of("log"));
    fail_msg("%s", command);
}

void make_token(const char *label)
{
    run("softhsm2-util --init-token --free --label '%s' --so-pin 12345678 --pin " PIN, label);
}

void make_certificate(const char *name, const char *kind, const char *options)
{
    bool rsa = !strncmp(kind, "rsa:", 4);

    run("test -e %s.key || openssl genpkey -quiet -algorithm %s -pkeyopt %s:%s -out %s.key", name,
        rsa ? "RSA" : "EC", rsa ? "rsa_keygen_bits" : "ec_paramgen_curve", strchr(kind, ':') + 1,
        name);
    run("openssl req -x509 -new -key %s.key -subj '/CN=%s' -days 36500 -config /dev/null -out "
        "%s.pem %s",
        name, name, name, options);
}

void put_key(const char *token, const char *name, const char *label, const char *id)
{
    run("softhsm2-util --import %s.key --token '%s' --label '%s' --id %s --pin " PIN " --force",
        name, token, label, id);
}

void put_certificate(const char *token, const char *name, const char *label, const char *id)
{
    run("openssl x509 -in %s.pem -outform DER -out %s.der && pkcs11-tool --module '%s' "
        "--token-label '%s' --login --pin " PIN
        " --write-object %s.der --type cert --label '%s' --id %s",
        name, name, softhsm, token, name, label, id);
}

void put_pair(const char *token, const char *name, const char *kind, const char *id)
{
    make_certificate(name, kind, "");
    put_key(token, name, name, id);
    put_certificate(token, name, name, id);
}

void ref_pin(struct keyref *ref, const char *pin)
{
    se_buf_free(&ref->pin);
    assert_int_equal(buf_copy(&ref->pin, text_bytes(pin), NULL), SE_OK);
}

struct keyref *ref_to(const char *token, const char *alias)
{
    static const char nothing[] = "";
    struct keyref *ref = refs[ref_count++] = malloc(sizeof *ref);

    *ref = (struct keyref){ .store = nothing,
                            .location = softhsm,
                            .alias = strdup(alias),
                            .certificate = nothing,
                            .token_label = strdup(token ? token : ""),
                            .token_serial = nothing,
                            .token_manufacturer = nothing,
                            .token_model = nothing,
                            .init_args = nothing,
                            .pin_source = nothing,
                            .pin_scrambled = nothing,
                            .pin_key = nothing };
    ref_pin(ref, PIN);
    return ref;
}

struct keyref *ref_through_shim(struct shim **shim, const char *token, const char *alias)
{
    struct keyref *ref = ref_to(token, alias);
    void *handle = dlopen(shim_path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

    if (!handle)
        fail_msg("%s", dlerror());
    *shim = dlsym(handle, "shim");
    faults = dlsym(handle, "faults");
    memset(*shim, 0, sizeof **shim);
    memset(faults, 0, sizeof *faults);
    dlclose(handle);
    ref->location = shim_path;
    return ref;
}

struct keyref *ref_through_faults(struct faults **out, const char *token, const char *alias)
{
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, token, alias);

    *out = faults;
    return ref;
}

struct key *opens(const struct keyref *ref, enum key_part part)
{
    se_error err = SE_ERROR_INIT;
    struct key *key;

    assert_status(SE_OK, pkcs11_store.open(&key, ref, part, NULL, &err), &err);
    return key;
}

void refuses(se_status status, const struct keyref *ref, enum key_part part, ...)
{
    se_error err = SE_ERROR_INIT;
    struct key *key = (struct key *)&err;
    const char *text;
    va_list texts;

    assert_status(status, pkcs11_store.open(&key, ref, part, NULL, &err), &err);
    assert_null(key);
    assert_int_equal(err.status, status);
    assert_null(strstr(err.text, "1234'")); /* no PIN in quotes */
    va_start(texts, part);
    while ((text = va_arg(texts, const char *)))
        if (!strstr(err.text, text))
            fail_msg("'%s' is not in: %s", text, err.text);
    va_end(texts);
}

struct token *token_of(const struct keyref *ref, struct module **module)
{
    se_error err = SE_ERROR_INIT;
    struct token *token;
    CK_SLOT_ID slot;

    assert_status(SE_OK, module_open(module, ref->location, "", &err), &err);
    assert_status(SE_OK, token_select(&slot, *module, ref, &err), &err);
    assert_status(SE_OK, token_open(&token, *module, slot, &err), &err);
    return token;
}

void wait_for_probe(void)
{
    usleep(2 * BREAKER_FIRST_MS * 1000);
}

static EVP_PKEY_CTX *context(EVP_PKEY *key, int (*init)(EVP_PKEY_CTX *), enum digest digest,
                             int salt)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(crypto_context(), key, NULL);
    EVP_MD *md = EVP_MD_fetch(crypto_context(), crypto_digest(digest), NULL);

    assert_true(init(ctx) > 0);
    assert_true(!salt || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0);
    assert_true(EVP_PKEY_CTX_set_signature_md(ctx, md) > 0);
    assert_true(!salt || EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt) > 0);
    EVP_MD_free(md);
    return ctx;
}

se_status sign_hash(se_buf *out, struct key *key, enum digest digest, int salt, se_bytes hash,
                    se_error *err)
{
    EVP_PKEY_CTX *ctx = context(key->private, EVP_PKEY_sign_init, digest, salt);
    size_t size = 0;
    bool done;

    assert_true(EVP_PKEY_sign(ctx, NULL, &size, hash.data, hash.size) > 0);
    assert_int_equal(buf_new(out, size, NULL), SE_OK);
    done = EVP_PKEY_sign(ctx, out->data, &size, hash.data, hash.size) > 0;
    EVP_PKEY_CTX_free(ctx);
    if (done) {
        out->size = size;
        return SE_OK;
    }
    se_buf_free(out);
    assert_true(remote_failure(err));
    return err->status;
}

se_status decrypt_blob(se_buf *out, struct key *key, const struct unwrap_how *how, se_bytes blob,
                       se_error *err)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(crypto_context(), key->private, NULL);
    size_t size = (size_t)EVP_PKEY_get_size(key->private);
    bool done;

    assert_true(EVP_PKEY_decrypt_init(ctx) > 0);
    assert_true(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0);
    assert_true(EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, crypto_digest(how->digest), NULL) > 0);
    assert_true(EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, crypto_digest(how->mgf1), NULL) > 0);
    assert_int_equal(buf_new(out, size, NULL), SE_OK);
    done = EVP_PKEY_decrypt(ctx, out->data, &size, blob.data, blob.size) > 0;
    EVP_PKEY_CTX_free(ctx);
    if (done) {
        out->size = size;
        return SE_OK;
    }
    se_buf_free(out);
    assert_true(remote_failure(err));
    return err->status;
}

bool verify_hash(struct key *key, enum digest digest, int salt, se_bytes hash, se_bytes signature)
{
    EVP_PKEY_CTX *ctx =
        context(X509_get0_pubkey(key->certificate), EVP_PKEY_verify_init, digest, salt);
    bool good = EVP_PKEY_verify(ctx, signature.data, signature.size, hash.data, hash.size) == 1;

    EVP_PKEY_CTX_free(ctx);
    return good;
}

se_status sign_and_verify(struct key *key, unsigned n, se_error *err)
{
    unsigned char hash[32] = { (unsigned char)n, (unsigned char)(n >> 8) };
    se_bytes hashed = { hash, sizeof hash };
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_status st;

    *err = (se_error)SE_ERROR_INIT;
    st = sign_hash(&signature, key, DIGEST_SHA256, 0, hashed, err);
    if (!st && !verify_hash(key, DIGEST_SHA256, 0, hashed, buf_bytes(&signature)))
        return error_set(err, SE_ERR_CRYPTO, "a wrong signature");
    return st;
}

void still_signs(struct key *key)
{
    se_error err;

    assert_status(SE_OK, sign_and_verify(key, 1, &err), &err);
}
