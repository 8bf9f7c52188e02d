/* SPDX-License-Identifier: Apache-2.0 */
#include "config/versions.h"

#include "base/clock.h"

static bool is_encryption(const struct descriptor *d)
{
    return d->algorithm.kind == ALGORITHM_CIPHER || d->algorithm.kind == ALGORITHM_WRAP;
}

const char *version_verb(const struct descriptor *d)
{
    return is_encryption(d) ? "encrypts" : "signs";
}

bool is_version_time(const struct version_time *v, int64_t time)
{
    return !v->verify_only && time >= v->from && (!v->until || time < v->until);
}

static bool may_work(const struct descriptor *d, const struct version_wish *wish)
{
    const bool is_used = d->version == wish->least && wish->time < d->time.from;

    if (wish->any_time)
        return !d->time.verify_only;
    return is_version_time(&d->time, is_used ? d->time.from : wish->time);
}

static const struct descriptor *find_current(const struct config *config, const char *name,
                                             const struct version_wish *wish)
{
    const struct descriptor *best = NULL;

    for (size_t i = 0; i < config->descriptor_count; i++) {
        const struct descriptor *d = &config->descriptors[i];

        if (!strcmp(d->name, name) && d->version >= wish->least && may_work(d, wish) &&
            (!best || d->version > best->version))
            best = d;
    }
    return best;
}

const struct descriptor *config_current(const struct config *config, const char *name, int64_t time)
{
    return find_current(config, name, &(struct version_wish){ .time = time });
}

se_version_state version_state(const struct config *config, const struct descriptor *d,
                               int64_t time)
{
    const struct descriptor *current;

    if (d->time.verify_only)
        return SE_VERSION_VERIFIES;
    if (time < d->time.from)
        return SE_VERSION_WAITS;
    if (!is_version_time(&d->time, time))
        return SE_VERSION_ENDED;
    current = config_current(config, d->name, time);
    return current && current->version > d->version ? SE_VERSION_OLDER : SE_VERSION_CURRENT;
}

/* ---- refusals ---- */

/* What would have been next, or else was last: it is the one to speak of when none is current. */
static bool is_nearer(const struct descriptor *d, const struct descriptor *than, int64_t time)
{
    const bool waits = !d->time.verify_only && time < d->time.from,
               other_waits = !than->time.verify_only && time < than->time.from;

    if (d->time.verify_only != than->time.verify_only)
        return than->time.verify_only;
    if (waits != other_waits)
        return waits;
    if (waits && d->time.from != than->time.from)
        return d->time.from < than->time.from;
    if (d->time.until != than->time.until)
        return d->time.until > than->time.until;
    return d->version > than->version;
}

static const struct descriptor *find_nearest(const struct config *config,
                                             const struct descriptor *any, int64_t time)
{
    const struct descriptor *best = any;

    for (size_t i = 0; i < config->descriptor_count; i++) {
        const struct descriptor *d = &config->descriptors[i];

        if (!strcmp(d->name, any->name) && is_nearer(d, best, time))
            best = d;
    }
    return best;
}

static void put_reason(struct writer *w, const struct descriptor *d, int64_t time)
{
    char when[TIME_TEXT_ROOM];

    writer_format(w, "version %u ", d->version);
    if (d->time.verify_only)
        writer_format(w, "only %s: it has signs=\"false\"",
                      is_encryption(d) ? "decrypts" : "verifies");
    else if (time < d->time.from)
        writer_format(w, "%s from %s on", version_verb(d),
                      time_format(when, TIME_RFC3339, d->time.from));
    else
        writer_format(w, "%s until %s", is_encryption(d) ? "encrypted" : "signed",
                      time_format(when, TIME_RFC3339, d->time.until));
}

static se_status refuse_version(const struct config *config, const struct descriptor *d,
                                int64_t time, se_error *err)
{
    const struct descriptor *current = config_current(config, d->name, time);
    AUTO(writer) text = { 0 };

    put_reason(&text, d, time);
    if (current)
        writer_format(&text, "; now it is version %u that %s", current->version,
                      version_verb(current));
    else
        writer_format(&text, "; now there is none that %s", version_verb(d));
    if (text.failed)
        return error_memory(err);
    return error_set(err, SE_ERR_POLICY, "descriptor '%s': %s", d->name, writer_string(&text));
}

se_status config_version(const struct descriptor **out, const struct config *config,
                         const char *name, const struct version_wish *wish, se_error *err)
{
    const unsigned stated = wish->version ? wish->version : wish->least;
    const struct descriptor *d;

    *out = NULL;
    if (wish->any_time && !wish->version)
        return error_set(err, SE_ERR_USAGE,
                         "at any time is for a version that is asked for by its number");
    *out = wish->version ? NULL : find_current(config, name, wish);
    if (*out)
        return SE_OK;
    TRY(config_descriptor(&d, config, name, stated, err));
    if (!wish->version || !may_work(d, wish))
        return refuse_version(config, stated ? d : find_nearest(config, d, wish->time), wish->time,
                              err);
    *out = d;
    return SE_OK;
}

se_status error_no_version(se_error *err, const struct config *config, const char *what,
                           const char *name, unsigned version)
{
    AUTO(writer) list = { 0 };

    config_put_versions(&list, config, name);
    if (list.failed)
        return error_memory(err);
    return error_set(err, SE_ERR_NO_DESCRIPTOR,
                     "%s was made with version %u of '%.64s', which is not configured here, but %s",
                     what, version, name, writer_string(&list));
}
