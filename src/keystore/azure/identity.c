/* SPDX-License-Identifier: Apache-2.0 */
/* Managed identities: a service of this machine, or of its host, has the token. */
#include "keystore/azure/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "keystore/azure/challenge.h"
#include "keystore/azure/credential.h"

enum { VARIABLES_MOST = 2, PATH_MOST = 512, ARC_SECRET_LIMIT = 4096 };

/* ---- which service it is ---- */

#define TOKEN_PATH "/metadata/identity/oauth2/token"

struct source {
    const char *name;
    const char *endpoint;                 /* variable; NULL: `address` */
    const char *needs[VARIABLES_MOST];    /* variables that are set as well */
    const char *program;                  /* NULL, or that must be installed */
    const char *address;                  /* without a variable for it */
    const char *host;                     /* variable that replaces the host of `address` */
    const char *version;                  /* api-version; NULL: it is asked by POST */
    const char *client;                   /* field that chooses an identity; NULL: there is one */
    const char *header, *header_variable; /* its value; NULL: "true" */
    bool has_challenge;                   /* it wants to see that we can read a file */
};

/* The first one that fits, as Microsoft's libraries choose. */
static const struct source sources[] = {
    {
        .name = "Service Fabric",
        .endpoint = "IDENTITY_ENDPOINT",
        .needs = { "IDENTITY_HEADER", "IDENTITY_SERVER_THUMBPRINT" },
        .version = "2019-07-01-preview",
        .header = "Secret",
        .header_variable = "IDENTITY_HEADER",
    },
    {
        .name = "App Service",
        .endpoint = "IDENTITY_ENDPOINT",
        .needs = { "IDENTITY_HEADER" },
        .version = "2019-08-01",
        .client = "client_id",
        .header = "X-IDENTITY-HEADER",
        .header_variable = "IDENTITY_HEADER",
    },
    {
        .name = "Azure Arc",
        .endpoint = "IDENTITY_ENDPOINT",
        .needs = { "IMDS_ENDPOINT" },
        .version = "2019-11-01",
        .header = "Metadata",
        .has_challenge = true,
    },
    {
        .name = "App Service (2017)",
        .endpoint = "MSI_ENDPOINT",
        .needs = { "MSI_SECRET" },
        .version = "2017-09-01",
        .client = "clientid",
        .header = "secret",
        .header_variable = "MSI_SECRET",
    },
    {
        .name = "Cloud Shell",
        .endpoint = "MSI_ENDPOINT",
        .header = "Metadata",
    },
    {
        .name = "Azure Arc",
        .program = "/opt/azcmagent/bin/himds",
        .address = "http://127.0.0.1:40342" TOKEN_PATH,
        .version = "2019-11-01",
        .header = "Metadata",
        .has_challenge = true,
    },
    {
        .name = "IMDS",
        .address = "http://169.254.169.254" TOKEN_PATH,
        .host = "AZURE_POD_IDENTITY_AUTHORITY_HOST",
        .version = "2018-02-01",
        .client = "client_id",
        .header = "Metadata",
    },
};

static bool source_fits(const struct source *source)
{
    if (source->endpoint && !*credential_variable(source->endpoint))
        return false;
    for (size_t i = 0; i < VARIABLES_MOST && source->needs[i]; i++)
        if (!*credential_variable(source->needs[i]))
            return false;
    return !source->program || !access(source->program, X_OK);
}

/* The last one fits always. */
static const struct source *find_source(void)
{
    const struct source *source = sources;

    while (!source_fits(source))
        source++;
    return source;
}

/* ---- what it is asked ---- */

/* What is secret in it is wiped. */
struct source_request {
    struct writer url, header, authorization, body;
};
static void source_request_free(struct source_request *r)
{
    writer_free(&r->url);
    writer_free(&r->header);
    writer_free(&r->authorization);
    writer_free(&r->body);
}
AUTO_KIND(source_request, struct source_request, source_request_free(p))

static void write_field(struct writer *w, const char *before, const char *name, const char *value)
{
    writer_text(w, before);
    writer_text(w, name);
    writer_text(w, "=");
    writer_percent(w, value);
}

static void write_address(struct writer *url, const struct source *source)
{
    const char *host = source->host ? credential_variable(source->host) : "";
    size_t size = strlen(host);

    while (size && host[size - 1] == '/')
        size--;
    if (source->endpoint)
        writer_text(url, credential_variable(source->endpoint));
    else if (!size)
        writer_text(url, source->address);
    else {
        writer_put(url, host, size);
        writer_text(url, TOKEN_PATH);
    }
}

/* Without what could begin another header. */
static se_status write_header(struct writer *w, const char *name, const char *value, se_error *err)
{
    for (const char *p = value; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            return error_set(err, SE_ERR_STORE, "the value for '%s' holds a control character",
                             name);
    writer_text(w, name);
    writer_text(w, ": ");
    writer_text(w, value);
    return SE_OK;
}

static se_status build_request(struct source_request *out, const struct source *source,
                               const struct credential_request *request, se_error *err)
{
    const char *client = request->ref->client;

    if (*client && !source->client)
        return error_set(err, SE_ERR_CONFIG,
                         "client '%.64s' names an identity, and %s has one only: leave it out",
                         client, source->name);
    write_address(&out->url, source);
    if (source->version) {
        write_field(&out->url, strchr(writer_string(&out->url), '?') ? "&" : "?", "api-version",
                    source->version);
        write_field(&out->url, "&", "resource", request->place->resource);
    } else {
        write_field(&out->body, "", "resource", request->place->resource);
    }
    if (*client)
        write_field(&out->url, "&", source->client, client);
    TRY(write_header(
        &out->header, source->header,
        source->header_variable ? credential_variable(source->header_variable) : "true", err));
    return out->url.failed || out->header.failed || out->body.failed ? error_memory(err) : SE_OK;
}

static se_status send_request(struct http_answer *out, const struct source_request *built,
                              const struct credential_request *request, se_error *err)
{
    struct http_request send = {
        .method = built->body.buf.size ? "POST" : "GET",
        .url = writer_string(&built->url),
        .headers = { writer_string(&built->header) },
        .body = buf_bytes(&built->body.buf),
        .until = request->until,
    };
    size_t headers = 1;

    if (built->body.buf.size)
        send.headers[headers++] = "Content-Type: application/x-www-form-urlencoded";
    if (built->authorization.buf.size)
        send.headers[headers++] = writer_string(&built->authorization);
    return http_send(out, request->pool, &send, err);
}

/* ---- Azure Arc's challenge ---- */

/* The file's name within `folder`; NULL: it is not right there. */
static const char *arc_file_name(const char *folder, const char *path)
{
    const size_t size = strlen(folder), ending = strlen(".key");
    const char *name = !strncmp(path, folder, size) && path[size] == '/' ? path + size + 1 : "";
    const size_t length = strlen(name);

    if (length <= ending || strchr(name, '/') || strcmp(name + length - ending, ".key"))
        return NULL;
    return name;
}

static se_status open_arc_file(int *out, const char *folder, const char *name, se_error *err)
{
    AUTO(file) dir = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat info;

    *out = dir < 0 ? -1 : openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (*out < 0)
        return error_set(err, errno == EACCES || errno == EPERM ? SE_ERR_ACCESS : SE_ERR_STORE,
                         "cannot open '%s/%.100s': %s%s", folder, name, strerror(errno),
                         errno == EACCES || errno == EPERM
                             ? "; programs that use the identity belong into the group himds"
                             : "");
    if (!fstat(*out, &info) && S_ISREG(info.st_mode))
        return SE_OK;
    file_close(out);
    return error_set(err, SE_ERR_STORE, "'%s/%.100s' is no file", folder, name);
}

se_status arc_secret_read(se_buf *out, const char *folder, const char *path, se_error *err)
{
    const char *name = arc_file_name(folder, path);
    AUTO(file) file = -1;
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    if (!name)
        return error_set(err, SE_ERR_STORE,
                         "the service names the file '%.200s', which is not NAME.key in '%s': it "
                         "is not read",
                         path, folder);
    TRY(open_arc_file(&file, folder, name, err));
    if ((st = file_read_open(out, file, path, ARC_SECRET_LIMIT, err)))
        return st == SE_ERR_MEMORY ? st : error_restate(err, SE_ERR_STORE);
    return SE_OK;
}

static se_status answer_challenge(struct source_request *built, const char *header, se_error *err)
{
    AUTO(se_buf) secret = SE_BUF_INIT;
    AUTO(writer) value = { 0 };
    struct challenge challenge;
    size_t size;

    TRY(challenge_parse(&challenge, header, err));
    if (strcasecmp(challenge.scheme, "Basic"))
        return error_set(err, SE_ERR_STORE, "its challenge is for the scheme '%s', not Basic",
                         challenge.scheme);
    TRY(arc_secret_read(&secret, ARC_TOKENS, challenge.realm, err));
    size = strcspn((const char *)secret.data, "\r\n");
    writer_text(&value, "Basic ");
    writer_put(&value, secret.data, size);
    TRY(write_header(&built->authorization, "Authorization", writer_string(&value), err));
    return value.failed || built->authorization.failed ? error_memory(err) : SE_OK;
}

static se_status send_answering(struct http_answer *out, const struct source *source,
                                const struct source_request *built,
                                const struct credential_request *request, se_error *err)
{
    AUTO(source_request) again = { .url = { .room = 0 } };

    TRY(send_request(out, built, request, err));
    if (!source->has_challenge || out->status != 401)
        return SE_OK;
    TRY(build_request(&again, source, request, err));
    TRY(answer_challenge(&again, out->authenticate, err));
    http_answer_free(out);
    *out = (struct http_answer){ .status = 0 };
    return send_request(out, &again, request, err);
}

/* ---- asking until it answers ---- */

enum { RETRIES = 3, PAUSE_MS = 1000, PAUSE_MOST = 8, GONE_MS = 70 * 1000 };

static bool may_pass(long status)
{
    return status == 404 || status == 408 || status == 410 || status == 429 || status >= 500;
}

/*
 * Milliseconds until the next try; -1: there is none.  IMDS says 410 while it is being updated,
 * which takes up to 70 seconds, and 404 while it starts.
 */
static int64_t retry_pause(long status, unsigned tries, int64_t begun)
{
    int64_t steps = tries > 3 ? PAUSE_MOST : 1 << tries;

    if (!may_pass(status))
        return -1;
    if (status == 410)
        return clock_monotonic_ms() - begun < GONE_MS ? steps * PAUSE_MS : -1;
    return tries < RETRIES ? steps * PAUSE_MS : -1;
}

static void pause_for(int64_t ms)
{
    struct timespec left = { ms / 1000, ms % 1000 * 1000000 };

    while (nanosleep(&left, &left) && errno == EINTR)
        ;
}

static se_status report_failure(const struct http_answer *answer, const struct source *source,
                                se_error *err)
{
    AUTO(writer) what = { 0 };

    writer_format(&what, "get a token of the managed identity from %s", source->name);
    return answer_login_failure(answer, writer_string(&what), err);
}

static se_status ask_source(struct token_answer *out, const struct source *source,
                            const struct source_request *built,
                            const struct credential_request *request, se_error *err)
{
    const int64_t begun = clock_monotonic_ms();

    for (unsigned tries = 0;; tries++) {
        AUTO(http_answer) answer = { .status = 0 };
        int64_t pause;

        TRY_PREFIX(send_answering(&answer, source, built, request, err), err,
                   "managed identity (%s): ", source->name);
        if (answer.status == 200)
            return answer_token(out, &answer, err);
        pause = retry_pause(answer.status, tries, begun);
        if (pause < 0 || request->until - clock_monotonic_ms() <= pause)
            return report_failure(&answer, source, err);
        pause_for(pause);
    }
}

static se_status ask_identity(struct token_answer *out, const struct credential_request *request,
                              se_error *err)
{
    const struct source *source = find_source();
    AUTO(source_request) built = { .url = { .room = 0 } };

    *out = (struct token_answer){ .lifetime = 0 };
    TRY(build_request(&built, source, request, err));
    return ask_source(out, source, &built, request, err);
}

const struct credential_type managed_identity_credential = {
    .kind = CREDENTIAL_MANAGED_IDENTITY,
    .name = "managedIdentity",
    .is_local = true,
    .ask = ask_identity,
};
