/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what: each rule of <access>, with users and groups of a machine that is made up here.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>

#include "tests/unit/access.h"

/* ---- the machine ---- */

enum { ROOT_ID = 0, TOMCAT = 1001, MIGRATION = 1002, CARDS = 2001, WHEEL = 2002 };

/* How much room an entry takes, as for a group with many members; and whether the directory that
 * knows the names is away. */
static size_t room_needed;
static bool directory_is_away;

static int look_up(const char *name, size_t size, uint32_t *id)
{
    static const struct {
        const char *name;
        uint32_t id;
    } names[] = { { "root", ROOT_ID },
                  { "tomcat", TOMCAT },
                  { "migration", MIGRATION },
                  { "cards", CARDS },
                  { "wheel", WHEEL } };

    if (size < room_needed)
        return ERANGE;
    if (directory_is_away)
        return EIO;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i].name, name)) {
            *id = names[i].id;
            return 0;
        }
    return ENOENT;
}

int __wrap_getpwnam_r(const char *name, struct passwd *entry, char *room, size_t size,
                      struct passwd **out);
int __wrap_getgrnam_r(const char *name, struct group *entry, char *room, size_t size,
                      struct group **out);

int __wrap_getpwnam_r(const char *name, struct passwd *entry, char *room, size_t size,
                      struct passwd **out)
{
    const int error = look_up(name, size, &entry->pw_uid);

    (void)room;
    *out = error ? NULL : entry;
    return error;
}

int __wrap_getgrnam_r(const char *name, struct group *entry, char *room, size_t size,
                      struct group **out)
{
    const int error = look_up(name, size, &entry->gr_gid);

    (void)room;
    *out = error ? NULL : entry;
    return error;
}

/* ---- rows ---- */

static void the_first_row_that_matches_decides(void **state)
{
    AUTO(access)
    access = access_of(
        ROWS("<allow name='slow' operations='sign' perMinute='5'><user name='tomcat'/>"
             "<descriptor name='A'/></allow>\n"
             "<allow name='all' operations='verify sign'><user name='tomcat'/>"
             "<user name='migration'/><descriptor name='A'/><descriptor name='B'/></allow>\n"));
    const se_caller tomcat = user(TOMCAT), migration = user(MIGRATION);
    se_use use = SE_USE_INIT;
    se_error err = SE_ERROR_INIT;
    se_access_row row;
    static const struct question of_tomcat[] = {
        { "sign", "A", 0, NULL, "slow", 0 },  { "sign", "B", 0, NULL, "all", 0 },
        { "verify", "A", 0, NULL, "all", 0 }, { "encrypt", "A", 0, NULL, NULL, 0 },
        { "sign", "a", 0, NULL, NULL, 0 },    { "sign", "AA", 0, NULL, NULL, 0 },
        { "sign", "", 0, NULL, NULL, 0 },     { "sign", NULL, 0, NULL, NULL, 0 },
        { "sign", NULL, 0, "A", NULL, 0 },
    };
    static const struct question of_migration[] = { { "sign", "A", 0, NULL, "all", 0 } };

    (void)state;
    ask_all(access, &tomcat, of_tomcat);
    ask_all(access, &migration, of_migration);
    use.operation = "sign";
    use.descriptor = "A";
    assert_status(SE_OK, se_access_decide(&row, access, &tomcat, &use, &err), &err);
    assert_int_equal(row.number, 1);
    assert_int_equal(row.line, 3);
    assert_int_equal(row.per_minute, 5);
    assert_status(SE_OK, se_access_decide(&row, access, &migration, &use, &err), &err);
    assert_int_equal(row.number, 2);
    assert_int_equal(row.line, 4);
    assert_int_equal(row.per_minute, 0);
    assert_status(SE_OK, se_access_decide(NULL, access, &migration, &use, &err), &err);
}

static void users_are_themselves_and_root_is_nobody_else(void **state)
{
    AUTO(access)
    access =
        access_of(ROWS("<allow name='tomcat' operations='monitor'><user name='tomcat'/></allow>"
                       "<allow name='cards' operations='monitor'><group name='cards'/></allow>"
                       "<allow name='root' operations='check'><user name='root'/></allow>"));
    const uint32_t groups[] = { WHEEL, CARDS }, users[] = { TOMCAT };
    se_caller nobody = SE_CALLER_INIT, caller;

    (void)state;
    ask(access, &nobody, &(struct question){ .operation = "monitor" });
    ask(access, &nobody, &(struct question){ .operation = "check" });
    caller = user(TOMCAT);
    ask(access, &caller, &(struct question){ .operation = "monitor", .row = "tomcat" });
    caller = user(ROOT_ID);
    ask(access, &caller, &(struct question){ .operation = "monitor" });
    ask(access, &caller, &(struct question){ .operation = "check", .row = "root" });
    caller.has_uid = false; /* as after a zeroed struct */
    ask(access, &caller, &(struct question){ .operation = "check" });
    caller = user(UINT32_MAX); /* what SO_PEERCRED says on TCP */
    ask(access, &caller, &(struct question){ .operation = "monitor" });
    caller = user(CARDS); /* a group's number is no user's */
    ask(access, &caller, &(struct question){ .operation = "monitor" });
    caller = user(MIGRATION);
    caller.gids = groups;
    caller.gid_count = 2;
    ask(access, &caller, &(struct question){ .operation = "monitor", .row = "cards" });
    caller.gid_count = 1;
    ask(access, &caller, &(struct question){ .operation = "monitor" });
    caller.gids = users;
    ask(access, &caller, &(struct question){ .operation = "monitor" });
}

static void a_row_allows_its_operations_and_no_other(void **state)
{
    static const char *const operations[] = {
        "sign",           "verify",       "encrypt",     "decrypt",   "rekey",       "zip-sign",
        "zip-verify",     "zip-encrypt",  "zip-decrypt", "mail-sign", "mail-verify", "certificates",
        "history-append", "history-read", "check",       "monitor",
    };
    enum { COUNT = sizeof operations / sizeof *operations };
    const se_caller tomcat = user(TOMCAT);

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        AUTO(writer) text = { 0 };
        AUTO(access) access = NULL;
        const bool of_history = !strncmp(operations[i], "history", 7);

        writer_format(&text,
                      ROWS("<allow name='row' operations='%s'><user name='tomcat'/>%s</allow>"),
                      operations[i],
                      of_history                          ? "<history name='h'/>"
                      : !strcmp(operations[i], "monitor") ? ""
                                                          : "<descriptor name='A'/>");
        access = access_of(writer_string(&text));
        for (size_t j = 0; j < COUNT; j++)
            ask(access, &tomcat,
                &(struct question){ .operation = operations[j],
                                    .descriptor = "A",
                                    .history = "h",
                                    .row = i == j ? "row" : NULL });
    }
}

static void a_version_is_that_version(void **state)
{
    AUTO(access)
    access = access_of(
        ROWS("<allow name='old' operations='decrypt'><user name='migration'/>"
             "<descriptor name='A' version='1'/><descriptor name='A' version='2'/></allow>"
             "<allow name='all' operations='sign'><user name='migration'/>"
             "<descriptor name='A'/></allow>"
             "<allow name='one' operations='decrypt'><user name='tomcat'/>"
             "<descriptor name='A' version='1'/></allow>"
             "<allow name='rest' operations='decrypt'><user name='tomcat'/>"
             "<descriptor name='A'/></allow>"
             "<allow name='both' operations='verify'><user name='tomcat'/>"
             "<descriptor name='A' version='1'/><descriptor name='A'/></allow>"));
    static const struct question of_migration[] = {
        { "decrypt", "A", 1, NULL, "old", 0 }, { "decrypt", "A", 2, NULL, "old", 0 },
        { "decrypt", "A", 3, NULL, NULL, 0 },  { "decrypt", "A", 0, NULL, "old", 2 },
        { "decrypt", "B", 1, NULL, NULL, 0 },  { "sign", "A", 0, NULL, "all", 0 },
        { "sign", "A", 3, NULL, "all", 0 },    { "sign", "A", 9, NULL, "all", 0 },
    };
    static const struct question of_tomcat[] = {
        { "decrypt", "A", 0, NULL, "one", 1 },
        { "decrypt", "A", 1, NULL, "one", 0 },
        { "decrypt", "A", 2, NULL, "rest", 0 },
        { "verify", "A", 0, NULL, "both", 0 },
    };
    const se_caller migration = user(MIGRATION), tomcat = user(TOMCAT);

    (void)state;
    ask_all(access, &migration, of_migration);
    ask_all(access, &tomcat, of_tomcat);
}

static void histories_checks_and_counters_have_their_rows(void **state)
{
    AUTO(access)
    access = access_of(
        ROWS("<allow name='cards' operations='history-append'><user name='tomcat'/>"
             "<history name='cards'/></allow>"
             "<allow name='some' operations='check sign'><user name='tomcat'/>"
             "<descriptor name='A' version='1'/></allow>"
             "<allow name='all' operations='check monitor history-read'><user name='migration'/>"
             "<history name='cards'/></allow>"));
    static const struct question of_tomcat[] = {
        { "history-append", NULL, 0, "cards", "cards", 0 },
        { "history-append", NULL, 0, "card", NULL, 0 },
        { "history-append", NULL, 0, NULL, NULL, 0 },
        { "history-append", "cards", 0, NULL, NULL, 0 },
        { "history-read", NULL, 0, "cards", NULL, 0 },
        { "check", "A", 0, NULL, "some", 1 },
        { "check", "A", 2, NULL, NULL, 0 },
        { "check", "B", 0, NULL, NULL, 0 },
        { "check", NULL, 0, NULL, NULL, 0 },
        { "monitor", NULL, 0, NULL, NULL, 0 },
    };
    static const struct question of_migration[] = {
        { "check", NULL, 0, NULL, "all", 0 },           { "check", "A", 2, NULL, "all", 0 },
        { "check", "nothing", 0, NULL, "all", 0 },      { "monitor", NULL, 0, NULL, "all", 0 },
        { "history-read", NULL, 0, "cards", "all", 0 },
    };
    const se_caller tomcat = user(TOMCAT), migration = user(MIGRATION);

    (void)state;
    ask_all(access, &tomcat, of_tomcat);
    ask_all(access, &migration, of_migration);
}

/* ---- what is wrong, or not there ---- */

static void what_the_program_gets_wrong_is_told(void **state)
{
    AUTO(access)
    access = access_of(ROWS("<allow name='a' operations='monitor'><user name='root'/></allow>"));
    se_caller caller = user(ROOT_ID), none = SE_CALLER_INIT;
    se_use use = SE_USE_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_ERR_USAGE, se_access_decide(NULL, access, &caller, &use, &err), &err);
    use.operation = "sing";
    assert_status(SE_ERR_USAGE, se_access_decide(NULL, access, &caller, &use, &err), &err);
    assert_string_equal(err.text, "there is no operation 'sing'; did you mean 'sign'?");
    use.operation = "Monitor";
    assert_status(SE_ERR_USAGE, se_access_decide(NULL, access, &caller, &use, &err), &err);
    use.operation = "monitor";
    assert_status(SE_ERR_USAGE, se_access_decide(NULL, NULL, &caller, &use, &err), &err);
    assert_status(SE_ERR_USAGE, se_access_decide(NULL, access, NULL, &use, &err), &err);
    assert_status(SE_ERR_USAGE, se_access_decide(NULL, access, &caller, NULL, &err), &err);
    none.gid_count = 1;
    assert_status(SE_ERR_USAGE, se_access_decide(NULL, access, &none, &use, &err), &err);
    caller.size = 0;
    assert_status(SE_ERR_USAGE, se_access_decide(NULL, access, &caller, &use, &err), &err);
    se_access_close(NULL);
    se_access_close(&access);
    assert_null(access);
    se_access_close(&access);
}

static void put_report(void *arg, const se_report *report)
{
    writer_format(arg, "%s:%d: %s%s\n", report->file, report->line,
                  report->error ? "" : "warning: ", report->text);
}

static void names_that_the_machine_lacks_are_told_with_their_lines(void **state)
{
    AUTO(engine)
    engine = engine_of(ROWS("<allow name='a' operations='monitor'>\n<user name='tomcat'/>"
                            "\n<user name='nobody-here'/>\n<group name='tomcats'/></allow>"));
    AUTO(writer) told = { 0 };
    se_access *access = (se_access *)(void *)&told;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_ERR_CONFIG, se_access_open(&access, engine, put_report, &told, &err), &err);
    assert_null(access);
    assert_string_equal(err.text, "engine.xml:5: there is no user 'nobody-here' on this machine");
    assert_string_equal(writer_string(&told),
                        "engine.xml:5: there is no user 'nobody-here' on this machine\n"
                        "engine.xml:6: there is no group 'tomcats' on this machine\n");
    directory_is_away = true;
    assert_status(SE_ERR_UNAVAILABLE, se_access_open(&access, engine, NULL, NULL, &err), &err);
    assert_string_equal(err.text,
                        "engine.xml:5: cannot look up user 'nobody-here': Input/output error");
    directory_is_away = false;
    assert_status(SE_ERR_USAGE, se_access_open(NULL, engine, NULL, NULL, &err), &err);
    assert_status(SE_ERR_USAGE, se_access_open(&access, NULL, NULL, NULL, &err), &err);
}

static void large_entries_are_found(void **state)
{
    static const char text[] =
        ROWS("<allow name='a' operations='monitor'><group name='cards'/></allow>");
    const uint32_t cards = CARDS;
    se_caller caller = SE_CALLER_INIT;

    (void)state;
    caller.gids = &cards;
    caller.gid_count = 1;
    for (room_needed = 1; room_needed < 500000; room_needed *= 10) {
        AUTO(access) access = access_of(text);

        ask(access, &caller, &(struct question){ .operation = "monitor", .row = "a" });
    }
    room_needed = 0;
}

static void without_rows_nothing_is_allowed(void **state)
{
    static const char *const texts[] = { CONFIGURATION(""), CONFIGURATION("<access/>") };
    const se_caller root = user(ROOT_ID);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        AUTO(engine) engine = engine_of(texts[i]);
        AUTO(access) access = NULL;
        AUTO(writer) told = { 0 };
        se_error err = SE_ERROR_INIT;

        assert_status(SE_OK, se_access_open(&access, engine, put_report, &told, &err), &err);
        assert_string_equal(writer_string(&told),
                            "engine.xml:0: warning: no row of <access> allows anybody anything\n");
        ask(access, &root, &(struct question){ .operation = "sign", .descriptor = "A" });
        ask(access, &root, &(struct question){ .operation = "monitor" });
    }
}

/* ---- lists ---- */

static void put_row(void *arg, const se_access_row *row)
{
    writer_format(arg, "%u:%d %s %u:", row->number, row->line, row->name, row->per_minute);
    for (size_t i = 0; i < row->operation_count; i++)
        writer_format(arg, " %s", row->operations[i]);
    for (size_t i = 0; i < row->who_count; i++) {
        const se_access_who *who = &row->who[i];

        writer_format(arg, " [%s|%s|%s|%s|%s|%s]", who->user ? who->user : "",
                      who->group ? who->group : "", who->subject ? who->subject : "",
                      who->issuer ? who->issuer : "", who->san ? who->san : "",
                      who->sha256 ? who->sha256 : "");
    }
    for (size_t i = 0; i < row->what_count; i++)
        writer_format(arg, " %s:%u/%s", row->what[i].descriptor ? row->what[i].descriptor : "",
                      row->what[i].version, row->what[i].history ? row->what[i].history : "");
    writer_text(arg, "\n");
}

static void rows_are_listed_for_all_and_for_a_caller(void **state)
{
    static const char text[] =
        ROWS("<allow name='a' operations='verify sign history-read' perMinute='9'>"
             "<certificate issuer='CN=b' subject='CN=a' san='DNS:c'/><group name='cards'/>"
             "<user name='tomcat'/><history name='h'/><descriptor name='A' version='2'/></allow>\n"
             "<allow name='b' operations='monitor'><user name='migration'/></allow>\n"
             "<allow name='c' operations='check'><user name='tomcat'/></allow>");
#define ROW_A                                                                                      \
    "1:3 a 9: sign verify history-read [tomcat|||||] [|cards||||] [||CN=a|CN=b|DNS:c|] "           \
    "A:2/ :0/h\n"
#define ROW_B "2:4 b 0: monitor [migration|||||]\n"
#define ROW_C "3:5 c 0: check [tomcat|||||]\n"
    AUTO(engine) engine = engine_of(text);
    AUTO(access) access = access_of(text);
    AUTO(writer) all = { 0 };
    AUTO(writer) written = { 0 };
    AUTO(writer) own = { 0 };
    const se_caller tomcat = user(TOMCAT);
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, se_access_list(access, NULL, put_row, &all, &err), &err);
    assert_string_equal(writer_string(&all), ROW_A ROW_B ROW_C);
    assert_status(SE_OK, se_access_list(access, &tomcat, put_row, &own, &err), &err);
    assert_string_equal(writer_string(&own), ROW_A ROW_C);
    directory_is_away = true; /* which these rows do not need */
    assert_status(SE_OK, se_access_rows(engine, put_row, &written, &err), &err);
    directory_is_away = false;
    assert_string_equal(writer_string(&written), ROW_A ROW_B ROW_C);
    assert_status(SE_ERR_USAGE, se_access_list(access, NULL, NULL, NULL, &err), &err);
    assert_status(SE_ERR_USAGE, se_access_rows(NULL, put_row, &all, &err), &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(the_first_row_that_matches_decides),
        IN_FOLDER(users_are_themselves_and_root_is_nobody_else),
        IN_FOLDER(a_row_allows_its_operations_and_no_other),
        IN_FOLDER(a_version_is_that_version),
        IN_FOLDER(histories_checks_and_counters_have_their_rows),
        IN_FOLDER(what_the_program_gets_wrong_is_told),
        IN_FOLDER(names_that_the_machine_lacks_are_told_with_their_lines),
        IN_FOLDER(large_entries_are_found),
        IN_FOLDER(without_rows_nothing_is_allowed),
        IN_FOLDER(rows_are_listed_for_all_and_for_a_caller),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
