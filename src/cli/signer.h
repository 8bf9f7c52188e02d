/* What several commands say of a signer. */
#ifndef CLI_SIGNER_H
#define CLI_SIGNER_H

#include "cli/descriptor.h"
#include "cli/json.h"

/* "2026-01-31 12:00:00 UTC", or "not stated" for 0 */
void clock_text(char out[32], int64_t seconds);

/* A line about his time stamp, `indent` in front of it; nothing if there is none. */
void stamp_write(struct writer *w, const char *indent, const se_signer *signer);

/* What `verify` and `mail verify` tell people: lines about the signer, the signature and its time
 * stamp. */
void signer_write(struct writer *w, const se_signer *signer);

/* What a command that signed tells a terminal: what was written, and who signed. */
void signed_tell(const struct cli *cli, se_engine *engine,
                 const struct descriptor_option *descriptor, const char *output);

/* {time, authority}, {ignored: why}, or null if there is none */
json_t *stamp_json(const se_signer *signer);

#endif
