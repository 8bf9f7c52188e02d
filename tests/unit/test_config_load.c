/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations as files, and hostile ones. */
#include <libxml/xmlerror.h>
#include <pthread.h>
#include <sys/resource.h>
#include <time.h>

#include "tests/unit/config.h"

#define FILE_SIGNER                                                                                \
    "<descriptor name='FileSigner'><type algorithm='SHA-256' key='k'/></descriptor>\n"
#define PLAIN_KEY "<key name='k'><type name='pkcs12' locationValue='k.p12' pin='1234'/></key>\n"

static struct config_options telling(struct writer *findings)
{
    return (struct config_options){ .report = put_finding, .report_arg = findings };
}

static void assert_not_loaded(const char *path, const char *findings, const char *text)
{
    AUTO(writer) got = { 0 };
    AUTO(config) config = NULL;
    struct config_options options = telling(&got);
    se_error err = SE_ERROR_INIT;

    assert_status(SE_ERR_CONFIG, config_load(&config, path, &options, &err), &err);
    assert_null(config);
    assert_string_equal(err.text, text);
    assert_string_equal(writer_string(&got), findings);
}

static se_status load_closed(se_error *err)
{
    AUTO(config) config = NULL;

    return config_load(&config, "closed.xml", NULL, err);
}

static void files_that_cannot_be_read_are_named(void **state)
{
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_not_loaded("none.xml", "0: cannot read 'none.xml': No such file or directory\n",
                      "cannot read 'none.xml': No such file or directory");
    assert_not_loaded(".", "0: cannot read '.': Is a directory\n",
                      "cannot read '.': Is a directory");
    assert_not_loaded("", "0: cannot read '': No such file or directory\n",
                      "cannot read '': No such file or directory");
    make_text("closed.xml", "<a/>", 0000);
    assert_status(SE_ERR_CONFIG, as_nobody(load_closed, &err), &err);
    assert_string_equal(err.text, "cannot read 'closed.xml': Permission denied");
}

static void a_fifo_does_not_hold_the_engine_up(void **state)
{
    (void)state;
    assert_int_equal(mkfifo("fifo", 0600), 0);
    assert_not_loaded("fifo", "1: the file is empty\n", "fifo:1: the file is empty");
}

static void the_first_error_is_the_error(void **state)
{
    (void)state;
    make_text("engine.xml",
              "<engineSignEncrypt>\n<keys>\n<key/>\n</keys>\n<descriptors "
              "colour='blue'/>\n</engineSignEncrypt>\n",
              0600);
    assert_not_loaded("engine.xml",
                      "3: <key> needs the attribute 'name'\n3: <key> needs a <type>\n"
                      "5: unknown attribute 'colour' of <descriptors>, which has none\n",
                      "engine.xml:3: <key> needs the attribute 'name'");
}

static void findings_are_not_needed(void **state)
{
    AUTO(config) config = NULL;

    (void)state;
    make_text("engine.xml", "<a/>", 0600);
    assert_int_equal(config_load(&config, "engine.xml", NULL, NULL), SE_ERR_CONFIG);
    assert_null(config);
}

static void assert_loaded(mode_t mode, const char *text, const char *findings)
{
    AUTO(writer) got = { 0 };
    AUTO(config) config = NULL;
    struct config_options options = telling(&got);
    se_error err = SE_ERROR_INIT;

    make_text("engine.xml", text, mode);
    assert_status(SE_OK, config_load(&config, "engine.xml", &options, &err), &err);
    assert_string_equal(writer_string(&got), findings);
    assert_string_equal(config->path, "engine.xml");
    assert_string_equal(config->folder, ".");
}

static void files_that_others_can_read_or_change_are_warned_about(void **state)
{
    static const char plain[] = ROOT(FILE_SIGNER, PLAIN_KEY);
    static const char other[] = ROOT(
        FILE_SIGNER,
        "<key name='k'><type name='pkcs12' locationValue='k.p12' pin.source='env:X'/></key>\n");

    (void)state;
    assert_loaded(0600, plain, "");
    assert_loaded(0640, plain, "");
    assert_loaded(0644, plain,
                  "0: warning: 'engine.xml' holds a plain PIN and can be read by everybody\n");
    assert_loaded(0602, plain, "0: warning: 'engine.xml' can be changed by everybody\n");
    assert_loaded(0644, other, "");
    assert_loaded(0646, other, "0: warning: 'engine.xml' can be changed by everybody\n");
}

static void the_folder_of_the_file_locates_what_it_names(void **state)
{
    AUTO(config) config = NULL;
    AUTO(writer) path = { 0 };
    AUTO(writer) expected = { 0 };
    se_error err = SE_ERROR_INIT;

    (void)state;
    make_text("engine.xml", ROOT(FILE_SIGNER, PLAIN_KEY), 0600);
    writer_format(&path, "%s/engine.xml", folder);
    writer_format(&expected, "%s/k.p12", folder);
    assert_status(SE_OK, config_load(&config, writer_string(&path), NULL, &err), &err);
    assert_string_equal(config->folder, folder);
    assert_string_equal(config->keys[0].replicas[0].location, writer_string(&expected));
    assert_string_equal(config->keys[0].replicas[0].location_written, "k.p12");
    writer_free(&expected);
    writer_format(&expected, "%s/pin.key", folder);
    assert_string_equal(config->keys[0].replicas[0].pin_key, writer_string(&expected));
}

static void the_default_configuration_is_clean(void **state)
{
    AUTO(writer) path = { 0 };
    AUTO(writer) got = { 0 };
    AUTO(config) config = NULL;
    struct config_options options = telling(&got);
    const struct descriptor *d;
    se_error err = SE_ERROR_INIT;

    (void)state;
    writer_format(&path, "%s/conf/engineSignEncrypt.xml", getenv("top_srcdir"));
    assert_status(SE_OK, config_load(&config, writer_string(&path), &options, &err), &err);
    assert_string_equal(writer_string(&got), "");
    assert_status(SE_OK, config_descriptor(&d, config, "FileSigner", 0, &err), &err);
    assert_string_equal(d->key->replicas[0].store, "HSM");
}

/* Exit status 0: refused within a second and 64 MB. */
static int load_in_child(const char *path)
{
    struct timespec before, after;
    struct config *config = NULL;
    struct rusage usage;
    se_error err = SE_ERROR_INIT;
    double seconds;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    if (config_load(&config, path, NULL, &err) != SE_ERR_CONFIG)
        return 1;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    (void)getrusage(RUSAGE_SELF, &usage);
    seconds =
        (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
    if (seconds > 1)
        return 2;
    return usage.ru_maxrss > 64 * 1024 ? 3 : 0;
}

static void assert_refused_cheaply(const char *path)
{
    pid_t child = fork();
    int status = -1;

    assert_true(child >= 0);
    if (!child)
        _exit(load_in_child(path));
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        fail_msg("%s: child status %x: 1 is not refused, 2 more than a second, 3 more than 64 MB",
                 path, (unsigned)status);
}

/* Sanitizers and valgrind take memory and time of their own. */
static bool measured(void)
{
    const char *preload = getenv("LD_PRELOAD");

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return false;
#endif
    return !preload || !strstr(preload, "vgpreload");
}

static void a_file_of_one_gigabyte(void **state)
{
    (void)state;
    make_text("huge.xml", "<engineSignEncrypt>", 0600);
    assert_int_equal(truncate("huge.xml", 1 << 30), 0);
    if (measured())
        assert_refused_cheaply("huge.xml");
    assert_not_loaded("huge.xml", "0: 'huge.xml' has 1073741824 bytes, more than 4194304\n",
                      "'huge.xml' has 1073741824 bytes, more than 4194304");
}

/* 4 MiB of what makes an XML parser work hardest */
static const struct {
    const char *name, *head, *unit, *tail;
} heavy[] = {
    { "elements", "<engineSignEncrypt>", "<a/>", "</engineSignEncrypt>" },
    { "nested", "<engineSignEncrypt>", "<a>", "" },
    { "instructions", "<engineSignEncrypt>", "<?a?>", "</engineSignEncrypt>" },
    { "comments", "<engineSignEncrypt>", "<!---->", "</engineSignEncrypt>" },
    { "sections", "<engineSignEncrypt>", "<![CDATA[]]>", "</engineSignEncrypt>" },
    { "attributes", "<engineSignEncrypt", " a=''", "/>" },
    { "entities", "<engineSignEncrypt>", "&lt;", "</engineSignEncrypt>" },
    { "references", "<engineSignEncrypt>", "&#65;", "</engineSignEncrypt>" },
    { "value", "<engineSignEncrypt a='", "x", "'/>" },
    { "entities in a value", "<engineSignEncrypt a='", "&lt;", "'/>" },
    { "entities in a PIN", "<engineSignEncrypt pin='", "&lt;", "'/>" },
    { "PINs", "<engineSignEncrypt>", "<a pin='1'/>", "</engineSignEncrypt>" },
    { "name", "<", "a", "/>" },
    { "text", "<engineSignEncrypt>", "x", "</engineSignEncrypt>" },
    { "lines", "<engineSignEncrypt>", "\n", "</engineSignEncrypt>" },
    { "open quote", "<engineSignEncrypt a='", "\"", "" },
    { "keys", "<engineSignEncrypt><descriptors/><keys>", "<key name='k'/>",
      "</keys></engineSignEncrypt>" },
    { "many keys", "<engineSignEncrypt><descriptors/><keys>",
      "<key name='k'/>\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n",
      "</keys></engineSignEncrypt>" },
};

static void make_heavy(size_t i)
{
    size_t room = (4 << 20) - strlen(heavy[i].head) - strlen(heavy[i].tail);
    AUTO(writer) text = { 0 };

    writer_text(&text, heavy[i].head);
    for (size_t n = room / strlen(heavy[i].unit); n; n--)
        writer_text(&text, heavy[i].unit);
    writer_text(&text, heavy[i].tail);
    make_file("heavy.xml", text.buf.data, text.buf.size, 0600);
}

static void heavy_files_are_refused_cheaply(void **state)
{
    (void)state;
    if (!measured())
        skip();
    for (size_t i = 0; i < sizeof heavy / sizeof *heavy; i++) {
        print_message("%s\n", heavy[i].name);
        make_heavy(i);
        assert_refused_cheaply("heavy.xml");
    }
}

/* 4096 descriptors, none of whose keys is there, but many that resemble it */
static void near_misses_are_looked_for_cheaply(void **state)
{
    AUTO(writer) text = { 0 };

    (void)state;
    if (!measured())
        skip();
    writer_text(&text, "<engineSignEncrypt><descriptors>");
    for (int i = 0; i < 4096; i++)
        writer_format(
            &text,
            "<descriptor name='d%060d'><type algorithm='SHA-256' key='%060dx'/></descriptor>", i,
            i);
    writer_text(&text, "</descriptors><keys>");
    for (int i = 0; i < 4096; i++)
        writer_format(&text, "<key name='%060dy'><type name='pem' locationValue='x'/></key>", i);
    writer_text(&text, "</keys></engineSignEncrypt>");
    make_file("near.xml", text.buf.data, text.buf.size, 0600);
    assert_refused_cheaply("near.xml");
}

static void too_many_are_refused_by_number(void **state)
{
    AUTO(writer) text = { 0 };

    (void)state;
    writer_text(&text, "<engineSignEncrypt>\n<descriptors>\n");
    for (int i = 0; i < 4097; i++)
        writer_format(&text,
                      "<descriptor name='d%d'><type algorithm='SHA-256' key='k'/></descriptor>", i);
    writer_text(&text, "</descriptors>\n<keys>\n");
    for (int i = 0; i < 4097; i++)
        writer_format(&text, "<key name='k%d'><type name='pem' locationValue='x'/></key>", i);
    writer_text(&text, "</keys></engineSignEncrypt>");
    make_file("many.xml", text.buf.data, text.buf.size, 0600);
    assert_not_loaded("many.xml",
                      "2: 4097 descriptors: more than 4096\n4: 4097 keys: more than 4096\n",
                      "many.xml:2: 4097 descriptors: more than 4096");
}

static void do_not_call(void *arg, xmlErrorPtr error)
{
    (void)error;
    (*(int *)arg)++;
}

static void texts_are_as_long_as_files(void **state)
{
    AUTO(writer) got = { 0 };
    AUTO(config) config = NULL;
    AUTO(se_buf) text = SE_BUF_INIT;
    struct config_options options = telling(&got);
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, buf_new(&text, (4 << 20) + 1, &err), &err);
    memset(text.data, ' ', text.size);
    assert_status(SE_ERR_CONFIG, config_parse(&config, &text, "engine.xml", &options, &err), &err);
    assert_string_equal(err.text, "'engine.xml' has 4194305 bytes, more than 4194304");
    assert_string_equal(writer_string(&got),
                        "0: 'engine.xml' has 4194305 bytes, more than 4194304\n");
    assert_null(text.data);
}

static void libxml2_stays_as_the_application_set_it(void **state)
{
    AUTO(config) config = NULL;
    int calls = 0;

    (void)state;
    xmlSetStructuredErrorFunc(&calls, do_not_call);
    make_text("engine.xml", "<a><b></a>", 0600);
    assert_int_equal(config_load(&config, "engine.xml", NULL, NULL), SE_ERR_CONFIG);
    make_text("engine.xml", ROOT("<descriptor/>", ""), 0600);
    assert_int_equal(config_load(&config, "engine.xml", NULL, NULL), SE_ERR_CONFIG);
    assert_ptr_equal(xmlStructuredError, do_not_call);
    assert_ptr_equal(xmlStructuredErrorContext, &calls);
    assert_int_equal(calls, 0);
    xmlSetStructuredErrorFunc(NULL, NULL);
}

static void *load_often(void *failures)
{
    for (int i = 0; i < 20; i++) {
        AUTO(config) config = NULL;

        if (config_load(&config, "engine.xml", NULL, NULL))
            ++*(int *)failures;
    }
    return NULL;
}

static void threads_load_at_once(void **state)
{
    pthread_t threads[4];
    int failures[4] = { 0 };

    (void)state;
    make_text("engine.xml", ROOT(FILE_SIGNER, PLAIN_KEY), 0600);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, load_often, &failures[i]), 0);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(failures[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(threads_load_at_once), /* first: before libxml2 is started */
        IN_FOLDER(files_that_cannot_be_read_are_named),
        IN_FOLDER(a_fifo_does_not_hold_the_engine_up),
        IN_FOLDER(the_first_error_is_the_error),
        IN_FOLDER(findings_are_not_needed),
        IN_FOLDER(files_that_others_can_read_or_change_are_warned_about),
        IN_FOLDER(the_folder_of_the_file_locates_what_it_names),
        IN_FOLDER(the_default_configuration_is_clean),
        IN_FOLDER(a_file_of_one_gigabyte),
        IN_FOLDER(heavy_files_are_refused_cheaply),
        IN_FOLDER(near_misses_are_looked_for_cheaply),
        IN_FOLDER(too_many_are_refused_by_number),
        cmocka_unit_test(texts_are_as_long_as_files),
        IN_FOLDER(libxml2_stays_as_the_application_set_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
