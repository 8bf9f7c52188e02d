/* CMS EnvelopedData (RFC 5652, 6) and AuthEnvelopedData (RFC 5083): its two halves. */
#ifndef FIELDS_CMS_ENVELOPE_H
#define FIELDS_CMS_ENVELOPE_H

#include "fields/aes.h"
#include "fields/envelope.h"

SE_MUST_CHECK se_status cms_envelope_read(struct envelope *out, struct kit *kit, se_bytes value,
                                          se_error *err);
bool cms_envelope_is_for(const struct envelope *envelope, const struct recipient *recipient);
SE_MUST_CHECK se_status cms_envelope_prepare(struct data_key *key, const struct envelope *envelope,
                                             struct kit *kit, se_error *err);
SE_MUST_CHECK se_status cms_envelope_open(se_buf *out, const struct open_job *job, se_error *err);

#endif
