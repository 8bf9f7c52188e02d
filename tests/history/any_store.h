/* SPDX-License-Identifier: Apache-2.0 */
/* A chain in a store of either kind, and SQL behind its back.  In the environment: STORE, the
 * address of another store than a file of SQLite. */
#ifndef TESTS_HISTORY_ANY_STORE_H
#define TESTS_HISTORY_ANY_STORE_H

#include "signengine-history.h"
#include "tests/unit/folder.h"

enum { CHAIN_ROOM = 40 };

struct any_chain {
    const char *store;
    char name[CHAIN_ROOM]; /* of its own, also where others have used the store before */
    se_engine *engine;
    se_history *history;
};

void any_chain_begin(struct any_chain *c);
void any_chain_end(struct any_chain *c);

/* Another history in the same store. */
se_history *any_chain_open(const struct any_chain *c, const char *name, bool create);

/* It is good, and has so many. */
void any_chain_expect(const struct any_chain *c, uint64_t entries, uint64_t seals);

/* "@entry" is a table, "@this" the number of the chain.  Returns the first value of the first row,
 * 0 where there is none. */
long long any_chain_sql(const struct any_chain *c, const char *sql);

/* ---- appending with idempotency keys ---- */

struct keyed_request {
    const char *key, *caller;
    const char *payloads[3]; /* up to a NULL */
};

struct keyed_answer {
    se_status status;
    se_history_appended appended;
    se_error error;
};

void send_request(struct keyed_answer *out, se_history *history, const struct keyed_request *r);

void assert_appended(const struct keyed_answer *answer, uint64_t first, bool repeated);

/* With a text that has `text` in it. */
void assert_refused(const struct keyed_answer *answer, se_status status, const char *text);

#endif
