/* SPDX-License-Identifier: Apache-2.0 */
/* What events tell about keys; whole configurations are tests/daemon/metrics.sh's. */
#include "daemon/keys.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static int make_keys(void **state)
{
    return keys_new((struct keys **)state, NULL) != SE_OK;
}

static int drop_keys(void **state)
{
    keys_free(*state);
    return 0;
}

static void hear(struct keys *keys, se_event_kind kind, unsigned replica)
{
    keys_hear(keys, &(se_event){ .kind = kind,
                                 .key = "k",
                                 .replica = replica,
                                 .text = "",
                                 .operation = "",
                                 .descriptor = "" });
}

static void hear_operation(struct keys *keys, const char *operation, unsigned replica,
                           se_status status)
{
    keys_hear(keys, &(se_event){ .kind = SE_EVENT_OPERATION,
                                 .key = "k",
                                 .replica = replica,
                                 .status = status,
                                 .text = "",
                                 .operation = operation,
                                 .descriptor = "" });
}

struct shown {
    char text[200];
};

static void show_state(void *arg, const struct key_state *state)
{
    struct shown *shown = arg;
    const size_t used = strlen(shown->text);

    (void)snprintf(shown->text + used, sizeof shown->text - used, "%s:%u %s%s ", state->name,
                   state->replica, state->up ? "up" : "down", state->avoided ? " avoided" : "");
}

static void assert_states(struct keys *keys, const char *expected)
{
    struct shown shown = { "" };

    keys_list(keys, show_state, &shown);
    assert_string_equal(shown.text, expected);
}

static void a_key_is_lost_when_no_replica_did_it(void **state)
{
    struct keys *keys = *state;

    assert_states(keys, "");
    hear_operation(keys, "sign", 1, SE_OK);
    assert_states(keys, "k:1 up ");
    hear_operation(keys, "sign", 1, SE_ERR_REJECTED);
    hear_operation(keys, "sign", 1, SE_ERR_POLICY);
    hear_operation(keys, "sign", 1, SE_ERR_FORMAT);
    assert_int_equal(keys_count_lost(keys), 0);
    hear_operation(keys, "sign", 0, SE_ERR_UNAVAILABLE);
    assert_int_equal(keys_count_lost(keys), 1);
    assert_states(keys, "k:1 down ");
    hear_operation(keys, "sign", 1, SE_OK);
    assert_int_equal(keys_count_lost(keys), 0);
    assert_states(keys, "k:1 up ");
}

static void only_what_needs_the_private_key_brings_it_back(void **state)
{
    struct keys *keys = *state;
    static const char *const others[] = { "verify",       "encrypt",      "decrypt",
                                          "decrypt many", "encrypt many", "container encrypt",
                                          "zip verify",   "rekey many" };

    hear_operation(keys, "decrypt", 1, SE_ERR_UNAVAILABLE);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        hear_operation(keys, others[i], 1, SE_OK);
        assert_int_equal(keys_count_lost(keys), 1);
    }
    hear_operation(keys, "zip sign", 1, SE_OK);
    assert_int_equal(keys_count_lost(keys), 0);
}

static void replicas_come_and_go(void **state)
{
    struct keys *keys = *state;

    hear(keys, SE_EVENT_KEY_LOST, 1);
    assert_int_equal(keys_count_lost(keys), 1);
    hear(keys, SE_EVENT_FAILED_OVER, 2);
    assert_states(keys, "k:1 down avoided k:2 up ");
    assert_int_equal(keys_count_lost(keys), 0);
    hear(keys, SE_EVENT_KEY_LOST, 2);
    assert_int_equal(keys_count_lost(keys), 1);
    assert_states(keys, "k:1 down avoided k:2 down avoided ");
    hear_operation(keys, "sign", 2, SE_OK);
    assert_states(keys, "k:1 down avoided k:2 up ");
    hear(keys, SE_EVENT_KEY_HEALED, 1);
    assert_states(keys, "k:1 up k:2 up ");
    hear(keys, SE_EVENT_KEY_RENEWED, 1);
    assert_states(keys, "k:1 up k:2 up ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_key_is_lost_when_no_replica_did_it, make_keys, drop_keys),
        cmocka_unit_test_setup_teardown(only_what_needs_the_private_key_brings_it_back, make_keys,
                                        drop_keys),
        cmocka_unit_test_setup_teardown(replicas_come_and_go, make_keys, drop_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
