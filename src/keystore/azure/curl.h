/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl, loaded when it is needed: with it come more than thirty libraries, and a process without
 * a vault has none of them.  <curl/curl.h> is needed to build, the library only to use a vault.
 */
#ifndef KEYSTORE_AZURE_CURL_H
#define KEYSTORE_AZURE_CURL_H

#include <curl/curl.h>

#include "base/error.h"

/* What is used of it, each as curl_NAME.  One row here is all that a further function needs. */
#define CURL_CALLS(row)                                                                            \
    row(version_info) row(global_init_mem) row(easy_init) row(easy_setopt) row(easy_perform)       \
        row(easy_getinfo) row(easy_cleanup) row(easy_strerror) row(getdate)

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

#endif
