/* SPDX-License-Identifier: Apache-2.0 */
/* An engine whose operations are heard: with signatures and fields, and keys of which the first
 * replica is not there. */
#ifndef TESTS_UNIT_EVENTS_H
#define TESTS_UNIT_EVENTS_H

#include <stdio.h>

#include "tests/unit/folder.h"
#include "tests/unit/maker.h"
#include "tests/unit/unit.h"

#define OAEP "asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding'"

static const char configuration[] =
    "<engineSignEncrypt><descriptors>"
    "<descriptor name='Files' version='1'><type algorithm='SHA-256' key='two'/></descriptor>"
    "<descriptor name='Files' version='2'><type algorithm='SHA-384' key='two'/></descriptor>"
    "<descriptor name='Fields' version='1'><type algorithm='AES/GCM/NoPadding' key='old' " OAEP
    "/></descriptor>"
    "<descriptor name='Fields' version='2'><type algorithm='AES/GCM/NoPadding' key='new' " OAEP
    " dataKeyUses='1'/></descriptor>"
    "</descriptors><keys>"
    "<key name='two'><type name='pem' locationValue='gone.pem'/>"
    "<type name='pem' locationValue='two.pem'/></key>"
    "<key name='old'><type name='pem' locationValue='old.pem'/></key>"
    "<key name='new'><type name='pem' locationValue='gone.pem'/>"
    "<type name='pem' locationValue='new.pem'/></key>"
    "</keys></engineSignEncrypt>";

static const se_bytes content = { "some content", 12 };

enum { LAST = 4 };

/* An operation that was told; its strings are copies. */
struct operation {
    se_event event;
    char operation[40], descriptor[40], key[40], text[1000], digest[160], tag[80];
};

static struct heard {
    unsigned count;
    char keys[1000]; /* "REPLICA KIND, " of each change of a key's state */
    struct operation last[LAST];
} heard;

static inline void hear(void *arg, const se_event *event)
{
    struct operation *operation = &heard.last[heard.count % LAST];
    size_t used = strlen(heard.keys);

    assert_ptr_equal(arg, &heard);
    assert_true(event->key && event->text && event->operation && event->descriptor);
    assert_true(event->request_sent && event->request_answered && event->digest && event->tag);
    if (event->kind != SE_EVENT_OPERATION) {
        snprintf(heard.keys + used, sizeof heard.keys - used, "%s %u %s, ", event->key,
                 event->replica, se_event_name(event->kind));
        assert_int_equal(event->items, 0);
        return;
    }
    heard.count++;
    *operation = (struct operation){ .event = *event };
    snprintf(operation->operation, sizeof operation->operation, "%s", event->operation);
    snprintf(operation->descriptor, sizeof operation->descriptor, "%s", event->descriptor);
    snprintf(operation->key, sizeof operation->key, "%s", event->key);
    snprintf(operation->text, sizeof operation->text, "%s", event->text);
    snprintf(operation->digest, sizeof operation->digest, "%s", event->digest);
    snprintf(operation->tag, sizeof operation->tag, "%s", event->tag);
}

static inline se_engine *opened(void)
{
    const struct certificate_wish signer = { .usage = "critical,digitalSignature",
                                             .alt_name = "email:a@example.org" };
    se_options options = SE_OPTIONS_INIT;
    se_error err = SE_ERROR_INIT;
    se_engine *engine;

    heard = (struct heard){ .count = 0 };
    make("engine.xml", configuration, 0600);
    make_signer("two.pem", "P-256", &signer);
    make_signer("old.pem", "RSA-2048", &(struct certificate_wish){ .subject = "old" });
    make_signer("new.pem", "RSA-2048", &(struct certificate_wish){ .subject = "new" });
    options.event = hear;
    options.event_arg = &heard;
    assert_status(SE_OK, se_open(&engine, "engine.xml", &options, &err), &err);
    return engine;
}

#endif
