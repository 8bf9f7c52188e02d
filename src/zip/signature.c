/* SPDX-License-Identifier: Apache-2.0 */
#include "zip/signature.h"

#include <stdlib.h>
#include <strings.h>

#include "zip/digest.h"
#include "zip/entry_reader.h"

enum { BLOCK_LIMIT = 1 << 20 };

struct sf_reading {
    const struct signature_job *job;
    const char *file;
    bool whole, main; /* the manifest is, byte for byte, what was digested; its main section is */
    size_t sections;
};

static bool has_weak_digest(const struct section *section, const char *suffix)
{
    for (size_t i = 0; i < section->count; i++) {
        const char *name = section->attributes[i].name;

        if (strlen(name) > strlen(suffix) &&
            strcasecmp(name + strlen(name) - strlen(suffix), suffix) == 0)
            return true;
    }
    return false;
}

/* *match: the digest is there and fits.  Weak digests alone are a failure. */
static se_status compare_digest(bool *match, const struct sf_reading *r,
                                const struct section *section, const char *suffix, se_bytes bytes,
                                se_error *err)
{
    bool wanted[DIGEST_KINDS];

    *match = false;
    if (digests_find_stated(wanted, section, suffix))
        return digests_match_bytes(match, section, suffix, bytes, err);
    if (has_weak_digest(section, suffix))
        return error_set(err, SE_ERR_REJECTED,
                         "%s: digests '%s' weakly: SHA-256 or better is needed", r->file,
                         *section->name ? section->name : JAR_MANIFEST_NAME);
    return SE_OK;
}

static se_status check_main_section(struct sf_reading *r, const struct section *main, se_error *err)
{
    const struct manifest_index *m = r->job->manifest;
    bool match, wanted[DIGEST_KINDS];

    TRY(compare_digest(&r->whole, r, main, "-Digest-Manifest", buf_bytes(&m->text), err));
    TRY(compare_digest(&match, r, main, "-Digest-Manifest-Main-Attributes", m->main, err));
    if (!match && digests_find_stated(wanted, main, "-Digest-Manifest-Main-Attributes"))
        return error_set(err, SE_ERR_REJECTED,
                         "%s: the main section of the manifest was changed after signing", r->file);
    r->main = match || r->whole;
    return SE_OK;
}

static se_status check_entry_section(struct sf_reading *r, const struct section *section,
                                     se_error *err)
{
    const struct entry *entry = archive_find(r->job->archive, section->name);
    se_bytes raw = { NULL, 0 };
    bool match;

    if (entry)
        raw = manifest_index_find(r->job->manifest, (size_t)(entry - r->job->archive->entries));
    if (!raw.size)
        return error_set(err, SE_ERR_REJECTED, "%s: signs '%s', which is not in the manifest",
                         r->file, section->name);
    TRY(compare_digest(&match, r, section, "-Digest", raw, err));
    if (!match)
        return error_set(err, SE_ERR_REJECTED,
                         "%s: what the manifest says of '%s' was changed after signing", r->file,
                         section->name);
    r->job->covered[entry - r->job->archive->entries] = true;
    r->sections++;
    return SE_OK;
}

static void cover_entries(const struct sf_reading *r)
{
    for (size_t i = 0; i < r->job->archive->count; i++)
        r->job->covered[i] |= manifest_index_find(r->job->manifest, i).size != 0;
}

static se_status check_section_is_new(struct sf_reading *r, bool *seen,
                                      const struct section *section, se_error *err)
{
    const struct entry *entry = archive_find(r->job->archive, section->name);
    bool *mine = entry ? &seen[entry - r->job->archive->entries] : NULL;

    if (mine && *mine)
        return error_set(err, SE_ERR_FORMAT, "%s: two sections for '%s'", r->file, section->name);
    if (mine)
        *mine = true;
    return SE_OK;
}

static se_status read_signature_file(struct sf_reading *r, bool *seen, se_bytes text, se_error *err)
{
    AUTO(section_reader) reader = { .file = r->file, .text = text };
    struct section section;

    TRY(section_read_first(&section, &reader, "Signature-Version", err));
    TRY(check_main_section(r, &section, err));
    while (true) {
        TRY(section_read_next(&section, &reader, err));
        if (!section.raw.size)
            break;
        TRY(check_section_is_new(r, seen, &section, err));
        TRY(check_entry_section(r, &section, err));
    }
    if (!r->whole && !r->sections)
        return error_set(err, SE_ERR_REJECTED, "%s: digests nothing of the manifest that is there",
                         r->file);
    if (!r->main)
        return error_set(err, SE_ERR_REJECTED,
                         "%s: does not digest the main section of the manifest", r->file);
    if (r->whole)
        cover_entries(r);
    return SE_OK;
}

static bool *flags_new(size_t count)
{
    return calloc(count + 1, sizeof(bool));
}
AUTO_KIND(bools, bool *, free(*p))

se_status signature_file_check(const struct signature_job *job, const char *name, se_bytes text,
                               se_error *err)
{
    struct sf_reading r = { .job = job, .file = name };
    AUTO(bools) seen = flags_new(job->archive->count);

    return seen ? read_signature_file(&r, seen, text, err) : error_memory(err);
}

static se_status verify_block(se_signer *out, const struct signature_job *job, se_bytes file,
                              const struct entry *block, se_error *err)
{
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_verify_params params = SE_VERIFY_PARAMS_INIT;
    se_status st;

    TRY(entry_read_all(&signature, job->archive, block, BLOCK_LIMIT, err));
    if (!signature.size)
        return error_set(err, SE_ERR_FORMAT, "%s is empty", entry_name(job->archive, block));
    params.purpose = SE_PURPOSE_ZIP;
    params.version = job->params->version;
    params.signature = buf_bytes(&signature);
    params.time = job->params->time;
    params.trust = job->params->trust;
    params.trust_tsa = job->params->trust_tsa;
    params.revocation = job->params->revocation;
    params.accept = job->params->issuers ? SE_ACCEPT_ISSUERS : SE_ACCEPT_CERTIFICATES;
    st = se_verify(out, job->engine, job->descriptor, file, &params, err);
    return error_prefix(err, st, "%s: ", entry_name(job->archive, block));
}

se_status signature_verify(se_signer *out, const struct signature_job *job,
                           const struct entry *file, const struct entry *block, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;

    TRY(entry_read_all(&text, job->archive, file, MANIFEST_LIMIT, err));
    TRY(verify_block(out, job, buf_bytes(&text), block, err));
    return signature_file_check(job, entry_name(job->archive, file), buf_bytes(&text), err);
}
