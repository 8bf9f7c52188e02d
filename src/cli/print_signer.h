/* SPDX-License-Identifier: Apache-2.0 */
/* What several commands say of a signer. */
#ifndef CLI_PRINT_SIGNER_H
#define CLI_PRINT_SIGNER_H

#include "base/clock.h"
#include "cli/service.h"

/* "2026-01-31 12:00:00 UTC", or "not stated" for 0 */
void signing_time_text(char out[TIME_TEXT_ROOM], int64_t seconds);

/* " ±5 ms", in the biggest unit of which it is a whole number; nothing for 0. */
void write_accuracy(struct writer *w, int64_t us);

/* A line about the time stamp, `indent` in front of it; nothing if there is none. */
void write_stamp(struct writer *w, const char *indent, const se_signer *signer);

/* A line about revocation, likewise; also if it was not looked at. */
void write_revocation(struct writer *w, const char *indent, const se_signer *signer);

/* What `verify` and `mail verify` print for people: lines about the signer, the signature and its
 * time stamp. */
void write_signer(struct writer *w, const se_signer *signer);

/* What a command that signed prints: with --json, or on a terminal with the signer's name. */
void print_signed(const struct cli *cli, const struct service *service,
                  const struct descriptor_option *descriptor, const char *input,
                  const char *output);

/* Of a JWS, which has neither a time nor a stamp: "INPUT: good signature", and by whom; and the
 * members of the same for --json. */
void print_jose_signer(const struct cli *cli, const char *input, const se_signer *signer);
json_t *json_jose_signer(const char *input, const se_signer *signer);

/* {time, accuracyMicroseconds if it is said, authority}, {ignored: why}, or null if there is none
 */
json_t *json_stamp(const se_signer *signer);

/* {status, by, issuer, thisUpdate, note}, as far as there is something to tell */
json_t *json_revocation(const se_signer *signer);

#endif
