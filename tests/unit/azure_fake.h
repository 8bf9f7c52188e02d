/* SPDX-License-Identifier: Apache-2.0 */
/* A login service, or a metadata service, in place of keystore/azure/http.h: requests are answered
 * by a function of the test. */
#ifndef TESTS_UNIT_AZURE_FAKE_H
#define TESTS_UNIT_AZURE_FAKE_H

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "keystore/azure/http.h"
#include "keystore/azure/login.h"
#include "tests/unit/unit.h"

/* Called by one thread at a time.  Fills what is zero, or fails. */
typedef se_status (*fake_fn)(struct http_answer *out, const struct http_request *request,
                             se_error *err);

/* Forgets the requests so far. */
void fake_begin(fake_fn answer);

/* Milliseconds that each answer takes, up to the deadline of its request. */
void fake_delay(unsigned ms);

/* No answer comes before this is over. */
void fake_hold(bool on);

unsigned fake_requests(void);
unsigned fake_pools(void); /* open now */

/* Of the last request. */
const char *fake_url(void);
const char *fake_body(void);
const char *fake_headers(void);           /* one a line */
struct http_settings fake_settings(void); /* of the last pool; its texts are not kept */

/* Keeps nothing of bodies and headers: they would be found in memory. */
void fake_forget_texts(void);

void fake_json(struct http_answer *out, long status, const char *json);

/* Of a key in the vault "v.vault.azure.net", without a credential. */
struct keyref fake_ref(void);
extern const struct vault_place fake_place;

/* The value of a form's field, decoded; "" without it.  Static. */
const char *form_field(const char *form, const char *name);

static inline int64_t in_ms(int64_t ms)
{
    return clock_monotonic_ms() + ms;
}

#endif
