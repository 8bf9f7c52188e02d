/* SPDX-License-Identifier: Apache-2.0 */
/* Verifying: who signed, and whether every entry is what was signed; and who says to have signed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arguments.h"
#include "base/file.h"
#include "engine/event.h"
#include "zip/entry_reader.h"
#include "zip/signature.h"
#include "zip/workers.h"

struct verifying {
    const se_zip_verify_params *params;
    struct api_call call;
    struct archive archive;
    struct manifest_index manifest;
    bool *covered, *leaves;
    unsigned char *states; /* by entry, of enum se_zip_state */
    size_t signatures;
};

static void verifying_free(struct verifying *v)
{
    archive_close(&v->archive);
    manifest_index_free(&v->manifest);
    free(v->covered);
    free(v->leaves);
    free(v->states);
}
AUTO_KIND(verifying, struct verifying, verifying_free(p))

/* ---- signatures ---- */

static const struct entry *find_sibling(const struct archive *a, const char *stem, size_t size,
                                        const char *extension)
{
    AUTO(writer) name = { 0 };

    writer_put(&name, stem, size);
    writer_format(&name, ".%s", extension);
    return name.failed ? NULL : archive_find(a, writer_string(&name));
}

static se_status find_block(const struct entry **out, const struct archive *a, const char *file,
                            se_error *err)
{
    const struct entry *rsa = find_sibling(a, file, jar_name_measure_stem(file), "RSA"),
                       *ec = find_sibling(a, file, jar_name_measure_stem(file), "EC");

    *out = rsa ? rsa : ec;
    if (rsa && ec)
        return error_set(err, SE_ERR_REJECTED, "'%s' has two signatures", file);
    return *out ? SE_OK : error_set(err, SE_ERR_REJECTED, "'%s' has no signature beside it", file);
}

static se_status verify_signature_file(struct verifying *v, const struct signature_job *job,
                                       const struct entry *file, se_error *err)
{
    const struct entry *block;
    se_signer signer;
    se_status st = find_block(&block, &v->archive, entry_name(&v->archive, file), err);

    if (st)
        return st;
    api_call_enter(&v->call);
    st = signature_verify(&signer, job, file, block, err);
    api_call_leave();
    if (st)
        return st;
    v->signatures++;
    if (v->params->signature)
        v->params->signature(v->params->report_arg, entry_name(&v->archive, block), &signer);
    return SE_OK;
}

static se_status check_jar_name(const struct verifying *v, const char *name, se_error *err)
{
    enum jar_name kind = jar_name_kind(name);

    if (kind == JAR_FOREIGN)
        return error_set(err, SE_ERR_REJECTED,
                         "'%s' is part of a signature of a kind that is not accepted", name);
    if (kind != JAR_OTHER && !jar_name_is_plain(name))
        return error_set(err, SE_ERR_REJECTED,
                         "'%s' is part of a signature, and is not written in capitals", name);
    if (kind == JAR_BLOCK && !find_sibling(&v->archive, name, jar_name_measure_stem(name), "SF"))
        return error_set(err, SE_ERR_REJECTED, "'%s' signs nothing: there is no .SF of its name",
                         name);
    return SE_OK;
}

static se_status verify_signatures(struct verifying *v, const struct signature_job *job,
                                   se_error *err)
{
    const struct archive *a = &v->archive;
    se_status st = SE_OK;

    for (size_t i = 0; !st && i < a->count; i++)
        st = check_jar_name(v, entry_name(a, &a->entries[i]), err);
    if (!st && !archive_find(a, JAR_MANIFEST_NAME))
        return error_set(err, SE_ERR_REJECTED, "not signed: there is no %s", JAR_MANIFEST_NAME);
    for (size_t i = 0; !st && i < a->count; i++)
        if (jar_name_kind(entry_name(a, &a->entries[i])) == JAR_SIGNATURE_FILE)
            st = verify_signature_file(v, job, &a->entries[i], err);
    if (!st && !v->signatures)
        return error_set(err, SE_ERR_REJECTED, "not signed: there is a manifest, and no signature");
    return st;
}

/* ---- entries ---- */

/* Java does not sign folders.  One with something below it adds nothing to that. */
static enum se_zip_state judge_uncovered(const struct verifying *v, const struct entry *entry,
                                         se_bytes section)
{
    if (section.size)
        return SE_ZIP_NOT_COVERED;
    if (!entry->folder)
        return SE_ZIP_UNSIGNED;
    return v->leaves[entry - v->archive.entries] ? SE_ZIP_EMPTY_FOLDER : SE_ZIP_FOLDER;
}

static se_status judge_entry(enum se_zip_state *state, struct verifying *v, size_t index,
                             struct worker *worker, se_error *err)
{
    const struct entry *entry = &v->archive.entries[index];
    se_bytes raw = manifest_index_find(&v->manifest, index);
    unsigned char digests[DIGEST_KINDS][DIGEST_MOST];
    bool wanted[DIGEST_KINDS], match;
    struct section section;

    *state = judge_uncovered(v, entry, raw);
    if (!v->covered[index])
        return entry->folder ? worker_check_entry(worker, entry, err) : SE_OK;
    worker->reader.file = JAR_MANIFEST_NAME;
    TRY(section_read_again(&section, &worker->reader, raw, err));
    *state = SE_ZIP_WEAK;
    if (!digests_find_stated(wanted, &section, "-Digest"))
        return SE_OK;
    TRY(worker_digest_entry(digests, worker, entry, wanted, err));
    digests_match_section(&match, &section, digests);
    *state = match ? SE_ZIP_SIGNED : SE_ZIP_CHANGED;
    return SE_OK;
}

static se_status check_entry(void *arg, size_t index, struct worker *worker, se_error *err)
{
    struct verifying *v = arg;
    enum se_zip_state state = SE_ZIP_SIGNATURE;
    se_status st = SE_OK;

    if (jar_name_kind(entry_name(&v->archive, &v->archive.entries[index])) == JAR_OTHER)
        st = judge_entry(&state, v, index, worker, err);
    v->states[index] = (unsigned char)state;
    return st;
}

static bool state_is_good(enum se_zip_state state)
{
    return state == SE_ZIP_SIGNED || state == SE_ZIP_SIGNATURE || state == SE_ZIP_FOLDER;
}

const char *se_zip_state_text(se_zip_state state)
{
    static const char *const texts[] = {
        [SE_ZIP_SIGNED] = "signed",
        [SE_ZIP_SIGNATURE] = "part of the signature",
        [SE_ZIP_FOLDER] = "a folder",
        [SE_ZIP_UNSIGNED] = "not signed",
        [SE_ZIP_NOT_COVERED] = "in the manifest, and not covered by a signature",
        [SE_ZIP_WEAK] = "only weakly digested: SHA-256 or better is needed",
        [SE_ZIP_CHANGED] = "not what was signed: its digest differs",
        [SE_ZIP_EMPTY_FOLDER] = "an empty folder that is not signed",
    };

    return (size_t)state < sizeof texts / sizeof *texts ? texts[state] : "unknown";
}

static se_status report_entries(const struct verifying *v, se_error *err)
{
    size_t bad = 0;

    for (size_t i = 0; i < v->archive.count; i++) {
        const struct entry *e = &v->archive.entries[i];
        se_zip_entry report = { entry_name(&v->archive, e), e->size, (se_zip_state)v->states[i],
                                state_is_good((se_zip_state)v->states[i]) };

        if (v->params->entry)
            v->params->entry(v->params->report_arg, &report);
        if (!report.good && !bad++)
            (void)error_set(err, SE_ERR_REJECTED, "'%s' is %s", report.name,
                            se_zip_state_text(report.state));
    }
    if (bad > 1)
        (void)error_prefix(err, SE_ERR_REJECTED, "%zu entries are refused, the first: ", bad);
    return bad ? SE_ERR_REJECTED : SE_OK;
}

static se_status check_entries(struct verifying *v, se_error *err)
{
    const struct workers_job job = {
        .archive = &v->archive,
        .entry = check_entry,
        .arg = v,
        .threads = v->params->threads,
        .progress = v->params->progress,
        .progress_arg = v->params->progress_arg,
    };
    se_status st = workers_run(&job, err);

    return st ? st : report_entries(v, err);
}

static se_status make_rooms(struct verifying *v, se_error *err)
{
    v->covered = calloc(v->archive.count + 1, sizeof *v->covered);
    v->states = calloc(v->archive.count + 1, sizeof *v->states);
    v->leaves = archive_find_leaves(&v->archive);
    return v->covered && v->states && v->leaves ? SE_OK : error_memory(err);
}

static se_status verify_archive(struct verifying *v, struct signature_job *job, const char *path,
                                se_error *err)
{
    const se_zip_verify_params *p = v->params;
    const struct archive_limits limits =
        archive_limits_of(p->max_entries, p->max_total, p->max_ratio);
    se_status st;

    TRY(archive_open(&v->archive, path, &limits, err));
    TRY(make_rooms(v, err));
    TRY(manifest_index_load(&v->manifest, &v->archive, true, err));
    job->covered = v->covered;
    st = verify_signatures(v, job, err);
    return st ? st : check_entries(v, err);
}

static se_status zip_verify_params_read(se_zip_verify_params *out, struct api_call *call,
                                        const se_zip_verify_params *params)
{
    se_error *err = &call->error;

    TRY(arguments_options(out, params, se_zip_verify_params, err));
    TRY(api_call_tag(call, out->tag));
    if (out->trust && out->issuers)
        return error_set(err, SE_ERR_USAGE,
                         "either CAs that are named vouch for signers, or the issuers of the "
                         "descriptor's certificates");
    return zip_time_read(&out->time, err);
}

se_status se_zip_verify(se_engine *engine, const char *descriptor, const char *path,
                        const se_zip_verify_params *params, se_error *error)
{
    AUTO(held) held = NULL;
    se_zip_verify_params read;
    AUTO(verifying) v = { .params = &read, .archive = { .fd = -1 } };
    struct signature_job job = { NULL, descriptor, &read, &v.archive, &v.manifest, NULL };
    se_error *err = &v.call.error;
    se_status st;

    TRY(arguments_check(error, engine, descriptor, path));
    TRY(se_hold(&held, engine, error));
    job.engine = held;
    api_call_begin(&v.call, held, "zip verify", descriptor);
    st = zip_verify_params_read(&read, &v.call, params);
    if (!st)
        st = error_prefix(err, verify_archive(&v, &job, path, err), "'%s': ", path);
    v.call.event.bytes = v.archive.size;
    return api_call_end(&v.call, st, error);
}

/* ---- who has signed, as the signatures say; and files of all other kinds ---- */

enum { BLOCK_LIMIT = 1 << 20, MAGIC = 4 };

struct version_search {
    se_engine *engine;
    const char *descriptor;
    se_version_fn fn;
    void *arg;
};

static se_status search_block(const struct version_search *s, const struct archive *a,
                              const struct entry *block, se_error *err)
{
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_status st;

    TRY(entry_read_all(&signature, a, block, BLOCK_LIMIT, err));
    st = se_find_versions(s->engine, s->descriptor, buf_bytes(&signature), s->fn, s->arg, err);
    return error_prefix(err, st == SE_ERR_FORMAT ? SE_ERR_REJECTED : st,
                        "%s: ", entry_name(a, block));
}

/* What is not in order is taken as it is: nothing of it is believed. */
static se_status search_zip(const struct version_search *s, const char *path, se_error *err)
{
    AUTO(archive) archive = { .fd = -1 };
    struct archive_limits limits = archive_limits_of(0, 0, 0);
    se_status st;

    limits.tidies = true;
    st = archive_open(&archive, path, &limits, err);
    for (size_t i = 0; !st && i < archive.count; i++)
        if (jar_name_kind(entry_name(&archive, &archive.entries[i])) == JAR_BLOCK)
            st = search_block(s, &archive, &archive.entries[i], err);
    return st == SE_ERR_FORMAT ? error_prefix(err, SE_ERR_REJECTED, "a zip: ") : st;
}

/* The local header of its first entry, or the end of one that has none (APPNOTE 4.3.7, 4.3.16). */
static bool is_zip(int fd)
{
    unsigned char magic[MAGIC];

    return pread(fd, magic, sizeof magic, 0) == MAGIC && magic[0] == 'P' && magic[1] == 'K' &&
           ((magic[2] == 3 && magic[3] == 4) || (magic[2] == 5 && magic[3] == 6));
}

static se_status search_file(const struct version_search *s, const char *path, se_error *err)
{
    AUTO(file) file = -1;
    se_source source;

    TRY(file_open_stream(&file, path, err));
    if (is_zip(file))
        return search_zip(s, path, err);
    source = source_fd(file);
    return se_find_versions_stream(s->engine, s->descriptor, &source, s->fn, s->arg, err);
}

se_status se_find_versions_file(se_engine *engine, const char *descriptor, const char *path,
                                se_version_fn fn, void *arg, se_error *error)
{
    const struct version_search search = { engine, descriptor, fn, arg };

    TRY(arguments_check(error, engine, descriptor, path, fn));
    TRY_PREFIX(search_file(&search, path, error), error, "'%s': ", path);
    return SE_OK;
}
