/* SPDX-License-Identifier: Apache-2.0 */
/* Signing: manifest, signature file and its signature in front of the entries, which stay as they
 * are. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arguments.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/stream.h"
#include "engine/event.h"
#include "zip/archive_writer.h"
#include "zip/manifest_index.h"
#include "zip/workers.h"

struct signing {
    se_engine *engine;
    const char *descriptor;
    se_zip_sign_params params;
    struct api_call call;
    int64_t begun; /* which decides about the version */
    se_signer signer;
    const struct digest_kind *kind;
    char stem[sizeof JAR_FOLDER + JAR_STEM_MOST];

    struct archive archive;
    struct manifest_index old;
    bool *dropped, *listed; /* by entry: not part of the new archive; named in the manifest */
    unsigned char *digests;
    se_buf manifest, signature_file, block;
    struct output target;
};

static void signing_free(struct signing *s)
{
    archive_close(&s->archive);
    manifest_index_free(&s->old);
    free(s->dropped);
    free(s->listed);
    free(s->digests);
    se_buf_free(&s->manifest);
    se_buf_free(&s->signature_file);
    se_buf_free(&s->block);
    output_discard(&s->target);
}
AUTO_KIND(signing, struct signing, signing_free(p))

/* ---- what there is ---- */

static se_status find_signer(struct signing *s, se_error *err)
{
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    char stem[JAR_STEM_MOST + 1];

    s->begun = params.begun = clock_seconds();
    params.version = s->params.version;
    params.at_any_time = s->params.at_any_time;
    TRY(se_find_signer(&s->signer, s->engine, s->descriptor, &params, err));
    if (!(s->kind = digest_find(s->signer.digest)))
        return error_set(err, SE_ERR_POLICY,
                         "descriptor '%s': digests with %s are not for manifests", s->descriptor,
                         s->signer.digest);
    jar_name_make_stem(stem, s->params.signature_name ? s->params.signature_name : s->signer.alias);
    if (!*stem)
        return error_set(err, SE_ERR_USAGE, "the signature has no name");
    (void)snprintf(s->stem, sizeof s->stem, "%s%s", JAR_FOLDER, stem);
    return SE_OK;
}

/* An old signature of our name goes in any case, and what is not kept. */
static bool is_dropped(const struct signing *s, const char *name)
{
    enum jar_name kind = jar_name_kind(name);

    if (kind == JAR_OTHER || kind == JAR_MANIFEST || !s->params.keep)
        return kind != JAR_OTHER;
    return kind != JAR_FOREIGN && jar_name_measure_stem(name) == strlen(s->stem) &&
           strncmp(name, s->stem, strlen(s->stem)) == 0;
}

AUTO_KIND(bools, bool *, free(*p))

/* Folders are signed where nothing else says that they are there. */
static se_status choose_entries(struct signing *s, se_error *err)
{
    const struct archive *a = &s->archive;
    AUTO(bools) leaves = NULL;

    leaves = archive_find_leaves(a);
    s->dropped = calloc(a->count + 1, sizeof *s->dropped);
    s->listed = calloc(a->count + 1, sizeof *s->listed);
    s->digests = calloc(a->count + 1, s->kind->size);
    if (!leaves || !s->dropped || !s->listed || !s->digests)
        return error_memory(err);
    for (size_t i = 0; i < a->count; i++) {
        const char *name = entry_name(a, &a->entries[i]);

        s->dropped[i] = is_dropped(s, name);
        s->listed[i] = jar_name_kind(name) == JAR_OTHER &&
                       (!a->entries[i].folder || (leaves[i] && strcmp(name, JAR_FOLDER) != 0));
        if (jar_name_kind(name) != JAR_OTHER && !jar_name_is_plain(name))
            return error_set(err, SE_ERR_REJECTED,
                             "'%s' would be part of a signature, and is not written in capitals",
                             name);
    }
    return SE_OK;
}

/* ---- the texts ---- */

static se_status write_texts(struct signing *s, se_error *err)
{
    const struct manifest_draft draft = {
        .archive = &s->archive,
        .listed = s->listed,
        .kind = s->kind,
        .digests = s->digests,
        .old = &s->old,
        .keep = s->params.keep && s->old.text.size,
    };

    TRY(manifest_write(&s->manifest, &draft, err));
    return signature_file_write(&s->signature_file, buf_bytes(&s->manifest), s->kind, err);
}

/* ---- hashing ---- */

/* Beside an old signature, its manifest's digests stay; then they have to be good. */
static se_status check_kept_digest(const struct signing *s, size_t index, struct worker *worker,
                                   se_error *err)
{
    const struct entry *entry = &s->archive.entries[index];
    unsigned char digests[DIGEST_KINDS][DIGEST_MOST];
    bool wanted[DIGEST_KINDS], match;
    struct section section;

    worker->reader.file = JAR_MANIFEST_NAME;
    TRY(section_read_again(&section, &worker->reader, manifest_index_find(&s->old, index), err));
    if (!digests_find_stated(wanted, &section, "-Digest"))
        return error_set(err, SE_ERR_REJECTED,
                         "'%s' has no SHA-256 or better in the manifest that is to be kept",
                         entry_name(&s->archive, entry));
    TRY(worker_digest_entry(digests, worker, entry, wanted, err));
    digests_match_section(&match, &section, digests);
    return match ? SE_OK
                 : error_set(
                       err, SE_ERR_REJECTED,
                       "'%s' is not what the manifest that is to be kept says: its digest differs",
                       entry_name(&s->archive, entry));
}

static se_status digest_entry(void *arg, size_t index, struct worker *worker, se_error *err)
{
    struct signing *s = arg;
    size_t kind = (size_t)(s->kind - digest_kinds);
    unsigned char digests[DIGEST_KINDS][DIGEST_MOST];
    bool wanted[DIGEST_KINDS] = { false };

    if (!s->listed[index])
        return s->archive.entries[index].folder
                   ? worker_check_entry(worker, &s->archive.entries[index], err)
                   : SE_OK;
    if (s->params.keep && manifest_index_find(&s->old, index).size)
        return check_kept_digest(s, index, worker, err);
    wanted[kind] = true;
    TRY(worker_digest_entry(digests, worker, &s->archive.entries[index], wanted, err));
    memcpy(s->digests + index * s->kind->size, digests[kind], s->kind->size);
    return SE_OK;
}

static se_status digest_entries(struct signing *s, se_error *err)
{
    const struct workers_job job = {
        .archive = &s->archive,
        .entry = digest_entry,
        .arg = s,
        .threads = s->params.threads,
        .progress = s->params.progress,
        .progress_arg = s->params.progress_arg,
    };

    return workers_run(&job, err);
}

/* ---- signing ---- */

/* A signed zip that is to be encrypted is itself never committed. */
static se_status open_target(const char *path, struct signing *s, se_error *err)
{
    if (s->params.encrypt)
        return output_open_secret(&s->target, path, 0600, err);
    return output_open(&s->target, path, 0666, err);
}

static se_status make_signature(struct signing *s, se_error *err)
{
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_status st;

    TRY(write_texts(s, err));
    params.version = s->params.version;
    params.at_any_time = s->params.at_any_time;
    params.begun = s->begun;
    params.purpose = SE_PURPOSE_ZIP;
    params.time = s->params.time;
    params.tsa = s->params.tsa;
    params.tsa_policy = s->params.tsa_policy;
    api_call_enter(&s->call);
    st = se_sign(&s->block, s->engine, s->descriptor, buf_bytes(&s->signature_file), &params, err);
    api_call_leave();
    return st;
}

static se_status write_archive(struct signing *s, se_error *err)
{
    const char *kind = strncmp(s->signer.key_type, "RSA", 3) == 0 ? "RSA" : "EC";
    char signature_file[sizeof s->stem + 4], block[sizeof s->stem + 4];
    const struct archive_plan plan = {
        .files = { { JAR_MANIFEST_NAME, buf_bytes(&s->manifest) },
                   { signature_file, buf_bytes(&s->signature_file) },
                   { block, buf_bytes(&s->block) } },
        .time = s->params.time,
        .old = &s->archive,
        .dropped = s->dropped,
    };

    (void)snprintf(signature_file, sizeof signature_file, "%s.SF", s->stem);
    (void)snprintf(block, sizeof block, "%s.%s", s->stem, kind);
    return archive_write(&s->target, &plan, err);
}

static se_status encrypt_archive(const char *path, const struct signing *s, se_error *err)
{
    se_container_params params = SE_CONTAINER_PARAMS_INIT;
    const se_source source = source_fd(s->target.fd);
    AUTO(output) output = OUTPUT_INIT;
    se_sink sink;

    if (lseek(s->target.fd, 0, SEEK_SET))
        return error_set(err, SE_ERR_IO, "cannot read the signed archive: %s", strerror(errno));
    params.version = s->params.encrypt_version;
    params.at_any_time = s->params.encrypt_version && s->params.at_any_time;
    params.context = s->params.context;
    params.tag = s->params.tag;
    TRY(output_open(&output, path, 0644, err));
    sink = sink_fd(output.fd);
    TRY(se_container_encrypt_stream(&sink, s->engine, s->params.encrypt, &source, &params, err));
    return output_commit(&output, err);
}

static se_status read_archive(struct signing *s, const char *in, se_error *err)
{
    struct archive_limits limits =
        archive_limits_of(s->params.max_entries, s->params.max_total, s->params.max_ratio);

    limits.tidies = true;
    TRY(archive_open(&s->archive, in, &limits, err));
    TRY(choose_entries(s, err));
    return manifest_index_load(&s->old, &s->archive, s->params.keep, err);
}

static se_status zip_sign(const char *out, struct signing *s, const char *in,
                          const se_zip_sign_params *params)
{
    se_error *err = &s->call.error;

    TRY(arguments_options(&s->params, params, se_zip_sign_params, err));
    TRY(api_call_tag(&s->call, s->params.tag));
    TRY(zip_time_read(&s->params.time, err));
    TRY(find_signer(s, err));
    TRY_PREFIX(read_archive(s, in, err), err, "'%s': ", in);
    TRY(open_target(out, s, err));
    TRY_PREFIX(digest_entries(s, err), err, "'%s': ", in);
    TRY(make_signature(s, err));
    TRY(write_archive(s, err));
    return s->params.encrypt ? encrypt_archive(out, s, err) : output_commit(&s->target, err);
}

se_status se_zip_sign(const char *out, se_engine *engine, const char *descriptor, const char *in,
                      const se_zip_sign_params *params, se_error *error)
{
    AUTO(held) held = NULL;
    AUTO(signing) s = { .descriptor = descriptor, .archive = { .fd = -1 }, .target = OUTPUT_INIT };
    se_status st;

    TRY(arguments_check(error, engine, descriptor, in));
    TRY(se_hold(&held, engine, error));
    s.engine = held;
    api_call_begin(&s.call, held, "zip sign", descriptor);
    st = zip_sign(out ? out : in, &s, in, params);
    s.call.event.bytes = s.archive.size;
    return api_call_end(&s.call, st, error);
}
