/*
 * Detached signatures of one key, which differ in three places only: the content's digest, the time, and the signature's value.  OpenSSL
 * makes the first one, which takes it as long as a third of an RSA operation; the next ones are copies of it with these places filled.
 */
#ifndef FORMAT_CMS_STENCIL_H
#define FORMAT_CMS_STENCIL_H

#include <openssl/cms.h>

#include "format/format.h"

struct stencil;

/* That of a signature like this one; NULL: none was kept, or not for such a time. */
const struct stencil *stencil_find(const struct sign_job *job);

/* From a finished signature without unsigned attributes and its DER.  Kept with the job's key, unless it is not what is expected. */
void stencil_keep(const struct sign_job *job, CMS_ContentInfo *cms, se_bytes der);

/* To the byte what OpenSSL would have made. */
SE_MUST_CHECK se_status stencil_sign(const struct stencil *stencil, const struct sign_job *job, const se_sink *out, se_error *err);

SE_MUST_CHECK se_status cms_der(se_buf *out, CMS_ContentInfo *cms, se_error *err);

#endif
