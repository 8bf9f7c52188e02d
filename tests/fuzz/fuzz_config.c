/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations: loaded, told, and their PINs scrambled, which must not change what they mean. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/config.h"
#include "config/pin_extract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/tmp/signengine-fuzz.XXXXXX", pin_key[sizeof folder + 8];

static void clean_up(void)
{
    (void)unlink(pin_key);
    (void)rmdir(folder);
}

static void set_up(void)
{
    if (*pin_key)
        return;
    if (!mkdtemp(folder) || atexit(clean_up))
        abort();
    (void)snprintf(pin_key, sizeof pin_key, "%s/pin.key", folder);
}

static void read_report(void *arg, const se_report *report)
{
    if (!report->text[0] || report->line < 0)
        abort();
    *(bool *)arg |= report->error;
}

static void read_property(void *arg, const char *item, const char *property, const char *value)
{
    (void)arg;
    if (!*item || !*property || !*value)
        abort();
}

/* The canonical form; empty if the text is refused, which must have been told. */
static se_buf canonical(se_bytes text)
{
    bool told = false;
    struct config_options options = { .report = read_report,
                                      .report_arg = &told,
                                      .pin_key = pin_key };
    AUTO(config) config = NULL;
    AUTO(se_buf) copy = SE_BUF_INIT;
    se_buf out = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    if (buf_copy(&copy, text, NULL))
        abort();
    if (config_parse(&config, &copy, "engine.xml", &options, &err)) {
        if (config || err.status != SE_ERR_CONFIG || !err.text[0] || !told)
            abort();
        return out;
    }
    if (told || copy.data || config_canonical(&out, config, NULL))
        abort();
    config_describe(config, read_property, NULL);
    return out;
}

static bool same(const se_buf *a, const se_buf *b)
{
    return a->size == b->size && (!a->size || !memcmp(a->data, b->data, a->size));
}

/* Scrambled twice is scrambled once, and means the same. */
static void scramble(se_bytes text, const se_buf *meaning)
{
    AUTO(se_buf) once = SE_BUF_INIT;
    AUTO(se_buf) twice = SE_BUF_INIT;
    AUTO(se_buf) after = SE_BUF_INIT;
    size_t count;

    if (pins_scramble_text(&once, &count, text, pin_key, NULL))
        return;
    after = canonical(buf_bytes(&once));
    if (!same(meaning, &after) ||
        pins_scramble_text(&twice, &count, buf_bytes(&once), pin_key, NULL) || count ||
        !same(&once, &twice))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(se_buf) meaning = SE_BUF_INIT;

    set_up();
    if (buf_copy(&text, (se_bytes){ data, size }, NULL))
        abort();
    meaning = canonical(buf_bytes(&text));
    scramble(buf_bytes(&text), &meaning);
    return 0;
}
