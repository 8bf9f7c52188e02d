/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl, loaded when it is needed: with it come more than thirty libraries, and a process that
 * asks no vault and no signengined has none of them.  <curl/curl.h> is needed to build, the library
 * only to ask.
 */
#ifndef LIBCURL_CURL_CALLS_H
#define LIBCURL_CURL_CALLS_H

#include <curl/curl.h>

#include "base/error.h"

/* What is used of it, each as curl_NAME.  One row here is all that a further function needs. */
#define CURL_CALLS(row)                                                                            \
    row(version_info) row(global_init_mem) row(easy_init) row(easy_setopt) row(easy_perform)       \
        row(easy_getinfo) row(easy_reset) row(easy_cleanup) row(easy_strerror) row(getdate)

struct curl_calls {
#define CURL_MEMBER(name) __typeof__(curl_##name) *name;
    CURL_CALLS(CURL_MEMBER)
#undef CURL_MEMBER
};

/*
 * Loaded and initialised once in a process, for ever.  Safe for threads.  SE_ERR_STORE: it is not
 * there, or not one that can be used.
 */
SE_MUST_CHECK se_status curl_calls_load(const struct curl_calls **out, se_error *err);

/* Whether that libcurl is recent enough, speaks TLS, keeps deadlines while it asks for names, and
 * is safe for threads. */
SE_MUST_CHECK se_status curl_version_check(const curl_version_info_data *there, se_error *err);

/* Options of a handle, set one after the other: what failed stays failed. */
struct curl_options {
    const struct curl_calls *curl;
    CURL *handle;
    CURLcode rc;
};
void curl_set_number(struct curl_options *o, CURLoption option, long value);
/* A text, a struct or a pointer for callbacks; a callback itself is set by easy_setopt(). */
void curl_set_pointer(struct curl_options *o, CURLoption option, const void *value);

#endif
