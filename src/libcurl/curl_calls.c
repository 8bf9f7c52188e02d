/* SPDX-License-Identifier: Apache-2.0 */
#include "libcurl/curl_calls.h"

#include <dlfcn.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fork_lock.h"

static const char library[] = "libcurl.so.4";

/* CURLOPT_QUICK_EXIT came with it, the youngest of what is used. */
enum { OLDEST = 0x075700 };

se_status curl_version_check(const curl_version_info_data *there, se_error *err)
{
    static const struct {
        int feature;
        const char *text;
    } needed[] = {
        { CURL_VERSION_SSL, "no TLS" },
        { CURL_VERSION_ASYNCHDNS, "no resolver that keeps deadlines (threaded, or c-ares)" },
        { CURL_VERSION_THREADSAFE, "an initialisation that is not safe for threads" },
    };

    if (there->version_num < OLDEST)
        return error_set(err, SE_ERR_STORE,
                         "libcurl %s is too old: 7.87 is the oldest that is used", there->version);
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!(there->features & needed[i].feature))
            return error_set(err, SE_ERR_STORE, "libcurl %s can't be used: it was built with %s",
                             there->version, needed[i].text);
    return SE_OK;
}

static se_status find_calls(struct curl_calls *out, void *handle, se_error *err)
{
    void *found;

#define CURL_FIND(name)                                                                            \
    if (!(found = dlsym(handle, "curl_" #name)))                                                   \
        return error_set(err, SE_ERR_STORE, "'%s' has no function curl_%s", library, #name);       \
    out->name = (__typeof__(out->name))found;
    CURL_CALLS(CURL_FIND)
#undef CURL_FIND
    return SE_OK;
}

/* ---- its memory, which holds tokens and secrets: wiped when it is given back ---- */

/* ---- loading ---- */

/* An application that uses libcurl, too, and began earlier, keeps its own memory. */
static CURLcode initialize_library(const struct curl_calls *calls)
{
    return calls->global_init_mem(CURL_GLOBAL_DEFAULT, malloc, buf_wipe_free, buf_wipe_resize,
                                  strdup, calloc);
}

/* It is never unloaded: its threads, and those of OpenSSL's, may be at work. */
static se_status load_library(struct curl_calls *out, se_error *err)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    CURLcode rc;

    if (!handle)
        return error_set(err, SE_ERR_STORE,
                         "libcurl is needed, and can't be loaded (Debian: libcurl4): %s",
                         dlerror());
    TRY(find_calls(out, handle, err));
    TRY(curl_version_check(out->version_info(CURLVERSION_NOW), err));
    if ((rc = initialize_library(out)))
        return error_set(err, SE_ERR_STORE, "libcurl can't be initialised: %s",
                         out->easy_strerror(rc));
    return SE_OK;
}

se_status curl_calls_load(const struct curl_calls **out, se_error *err)
{
    /* under fork_lock_take() */
    static struct curl_calls loaded;
    static bool is_loaded;
    struct curl_calls calls;
    bool known;

    *out = NULL;
    fork_lock_take();
    known = is_loaded;
    fork_lock_give();
    /* Threads may come here together: the loader counts, and libcurl initialises itself once.  A
     * lock of ours could be held by a parent for ever. */
    if (!known) {
        TRY(load_library(&calls, err));
        fork_lock_take();
        if (!is_loaded) /* others read it without the lock */
            loaded = calls;
        is_loaded = true;
        fork_lock_give();
    }
    *out = &loaded;
    return SE_OK;
}

/* ---- options ---- */

void curl_set_number(struct curl_options *o, CURLoption option, long value)
{
    if (!o->rc)
        o->rc = o->curl->easy_setopt(o->handle, option, value);
}

void curl_set_pointer(struct curl_options *o, CURLoption option, const void *value)
{
    if (!o->rc)
        o->rc = o->curl->easy_setopt(o->handle, option, value);
}
