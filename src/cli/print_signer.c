/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/print_signer.h"

#include <inttypes.h>
#include <stdio.h>

void signing_time_text(char out[TIME_TEXT_ROOM], int64_t seconds)
{
    if (!seconds || !*time_format(out, TIME_READABLE, seconds))
        (void)snprintf(out, TIME_TEXT_ROOM, "not stated");
}

void write_accuracy(struct writer *w, int64_t us)
{
    if (!us)
        return;
    writer_text(w, " ±");
    if (us % 1000)
        writer_format(w, "%" PRId64 " µs", us);
    else if (us % 1000000)
        writer_format(w, "%" PRId64 " ms", us / 1000);
    else
        writer_format(w, "%" PRId64 " s", us / 1000000);
}

void write_stamp(struct writer *w, const char *indent, const se_signer *signer)
{
    char when[TIME_TEXT_ROOM];

    signing_time_text(when, signer->stamp_time);
    if (signer->stamp_time) {
        writer_format(w, "%sstamped    %s", indent, when);
        write_accuracy(w, signer->stamp_accuracy_us);
        writer_format(w, " by %s\n", signer->stamp_authority);
    } else if (*signer->stamp_ignored)
        writer_format(w, "%sstamped    but that does not count: %s\n", indent,
                      signer->stamp_ignored);
}

void write_revocation(struct writer *w, const char *indent, const se_signer *signer)
{
    char when[TIME_TEXT_ROOM];

    signing_time_text(when, signer->revocation_update);
    writer_format(w, "%srevocation ", indent);
    if (signer->revocation == SE_REVOCATION_UNCHECKED)
        writer_text(w, "not looked at\n");
    else if (signer->revocation == SE_REVOCATION_UNKNOWN)
        writer_format(w, "unknown: %s\n", signer->revocation_note);
    else
        writer_format(w, "%s, by the %s %s of %s\n",
                      *signer->revocation_note ? signer->revocation_note : "none",
                      signer->revocation_source == SE_REVOCATION_BY_CRL ? "CRL of"
                                                                        : "OCSP responder",
                      signer->revocation_teller, when);
}

void write_signer(struct writer *w, const se_signer *signer)
{
    char when[TIME_TEXT_ROOM];

    signing_time_text(when, signer->signing_time);
    writer_format(w, "  signer     %s\n  issuer     %s\n  serial     %s\n", signer->subject,
                  signer->issuer, signer->serial);
    if (signer->version)
        writer_format(w, "  version    %u\n", signer->version);
    else
        writer_text(w, "  version    none of the descriptor's: trusted by CA\n");
    writer_format(w, "  algorithm  %s\n  time       %s\n", signer->algorithm, when);
    write_stamp(w, "  ", signer);
    write_revocation(w, "  ", signer);
}

void print_signed(const struct cli *cli, const struct service *service,
                  const struct descriptor_option *descriptor, const char *input, const char *output)
{
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_signer signer;

    if (cli->json)
        (void)json_line(json_pack("{s:o, s:o, s:o}", "descriptor", json_text(descriptor->name),
                                  "input", json_text(input), "output", json_text(output)));
    if (!cli_is_chatty(cli))
        return;
    params.version = descriptor->version;
    params.at_any_time = descriptor->version; /* it has signed */
    if (service_find_signer(&signer, service, descriptor->name, &params, NULL))
        cli_done(cli, "%s: written, signed by '%s'", output, descriptor->name);
    else
        cli_done(cli, "%s: written, signed by %s ('%s', version %u)", output, signer.subject,
                 descriptor->name, signer.version);
}

json_t *json_stamp(const se_signer *signer)
{
    json_t *stamp;

    if (!signer->stamp_time && !*signer->stamp_ignored)
        return json_null();
    stamp = json_object();
    if (signer->stamp_time) {
        (void)json_object_set_new(stamp, "time", json_time(signer->stamp_time));
        if (signer->stamp_accuracy_us)
            (void)json_object_set_new(stamp, "accuracyMicroseconds",
                                      json_integer(signer->stamp_accuracy_us));
        (void)json_object_set_new(stamp, "authority", json_text(signer->stamp_authority));
    } else
        (void)json_object_set_new(stamp, "ignored", json_text(signer->stamp_ignored));
    return stamp;
}

json_t *json_revocation(const se_signer *signer)
{
    static const char *const states[] = {
        [SE_REVOCATION_UNCHECKED] = "unchecked",
        [SE_REVOCATION_GOOD] = "good",
        [SE_REVOCATION_UNKNOWN] = "unknown",
    };
    json_t *revocation = json_pack("{s:s}", "status", states[signer->revocation]);

    if (signer->revocation_source) {
        const bool by_crl = signer->revocation_source == SE_REVOCATION_BY_CRL;

        (void)json_object_set_new(revocation, "by", json_string(by_crl ? "crl" : "ocsp"));
        (void)json_object_set_new(revocation, by_crl ? "issuer" : "responder",
                                  json_text(signer->revocation_teller));
        (void)json_object_set_new(revocation, "thisUpdate", json_time(signer->revocation_update));
    }
    if (*signer->revocation_note)
        (void)json_object_set_new(revocation, "note", json_text(signer->revocation_note));
    return revocation;
}

/* ---- JOSE ---- */

json_t *json_jose_signer(const char *input, const se_signer *signer)
{
    return json_pack("{s:o, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "input", json_text(input),
                     "verdict", "good", "version", (int)signer->version, "algorithm",
                     json_text(signer->algorithm), "signer", json_text(signer->subject), "issuer",
                     json_text(signer->issuer), "serial", json_text(signer->serial), "notAfter",
                     json_time(signer->not_after), "revocation", json_revocation(signer));
}

void print_jose_signer(const struct cli *cli, const char *input, const se_signer *signer)
{
    AUTO(writer) lines = { 0 };

    if (cli->json && !cli->taken) {
        (void)json_line(json_jose_signer(input, signer));
        return;
    }
    if (cli->quiet)
        return;
    writer_format(&lines,
                  "%s: good signature\n  signer     %s\n  issuer     %s\n  serial     %s\n"
                  "  version    %u\n  algorithm  %s\n",
                  input, signer->subject, signer->issuer, signer->serial, signer->version,
                  signer->algorithm);
    write_revocation(&lines, "  ", signer);
    (void)fputs(writer_string(&lines), cli->taken ? stderr : stdout);
}
