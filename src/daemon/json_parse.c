/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/json_parse.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/text.h"
#include "base/utf8.h"

/* ---- memory that yajl has: strings with escapes go through it ---- */

union block {
    size_t size; /* of what follows */
    max_align_t align;
};

static void *yajl_take(void *unused, size_t size)
{
    union block *block;

    (void)unused;
    if (size > SIZE_MAX - sizeof *block || !(block = malloc(sizeof *block + size)))
        return NULL;
    block->size = size;
    return block + 1;
}

static void yajl_give(void *unused, void *data)
{
    union block *block = data;

    (void)unused;
    if (!block--)
        return;
    explicit_bzero(block + 1, block->size);
    free(block);
}

static void *yajl_grow(void *unused, void *data, size_t size)
{
    const union block *old = data;
    void *grown = yajl_take(unused, size);

    if (!grown || !old)
        return grown;
    memcpy(grown, data, old[-1].size < size ? old[-1].size : size);
    yajl_give(unused, data);
    return grown;
}

static yajl_alloc_funcs wiping = { .malloc = yajl_take, .realloc = yajl_grow, .free = yajl_give };

static void parser_free(yajl_handle *parser)
{
    if (*parser)
        yajl_free(*parser);
}
AUTO_KIND(parser, yajl_handle, parser_free(p))

/* ---- the text ---- */

static bool is_hex4(const char *at)
{
    return strspn(at, "0123456789abcdefABCDEF") >= 4;
}

/* 0: it is no \u, or one that yajl refuses. */
static unsigned long escaped_point(const char *at, const char *end)
{
    char digits[5] = "";

    if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return 0;
    memcpy(digits, at + 2, 4);
    return is_hex4(digits) ? strtoul(digits, NULL, 16) : 0;
}

/* Half a character in escapes: yajl makes a question mark of it, and another text would be signed
 * or encrypted than was sent. */
static const char *find_half(se_bytes text)
{
    const char *at = text.data, *end = at + text.size;

    while (at < end && (at = memchr(at, '\\', (size_t)(end - at)))) {
        unsigned long point = escaped_point(at, end), next = point ? escaped_point(at + 6, end) : 0;

        if (point >= 0xd800 && point < 0xdc00 && next >= 0xdc00 && next < 0xe000)
            at += 12;
        else if (point >= 0xd800 && point < 0xe000)
            return at;
        else
            at += 2;
    }
    return NULL;
}

static se_status check_characters(se_bytes text, se_error *err)
{
    const char *half;

    if (!utf8_is(text))
        return error_set(err, SE_ERR_FORMAT, "the JSON text is no UTF-8");
    if ((half = find_half(text)))
        return error_set(err, SE_ERR_FORMAT, "at byte %zu: half of a surrogate pair",
                         (size_t)(half - (const char *)text.data) + 1);
    return SE_OK;
}

static se_status refuse_syntax(yajl_handle parser, size_t at, se_error *err)
{
    unsigned char *why = yajl_get_error(parser, 0, NULL, 0);
    char text[200] = "it is no JSON";

    if (why) {
        why[strcspn((char *)why, "\n")] = '\0';
        text_copy(text, sizeof text, (char *)why, strlen((char *)why));
        yajl_free_error(parser, why);
    }
    return error_set(err, SE_ERR_FORMAT, "at byte %zu: %s", at, text);
}

static se_status parse_text(const yajl_callbacks *handlers, void *arg, se_bytes text, se_error *err)
{
    AUTO(parser) parser = yajl_alloc(handlers, &wiping, arg);
    yajl_status st;

    if (!parser)
        return error_memory(err);
    (void)yajl_config(parser, yajl_dont_validate_strings, 1); /* all of the text was checked */
    st = yajl_parse(parser, text.data, text.size);
    if (st == yajl_status_client_canceled)
        return SE_ERR_FORMAT;
    if (st != yajl_status_ok)
        return refuse_syntax(parser, yajl_get_bytes_consumed(parser), err);
    st = yajl_complete_parse(parser);
    return st == yajl_status_ok ? SE_OK : refuse_syntax(parser, text.size + 1, err);
}

/* libyajl is bound lazily: at the first call of each of its functions the loader saves registers to
 * the stack, and what was copied through them stays there. So these calls come before any secret.
 */
static void bind_functions(void)
{
    static const char *const texts[] = { "{\"\\n\":[\"\\ud83d\\ude00\",1,true,null]}", "{\"\\n\",",
                                         "[\"\\x", "{} {}", "[" };
    static const yajl_callbacks nothing;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        (void)!parse_text(&nothing, NULL, text_bytes(texts[i]), NULL);
}

se_status json_parse(const yajl_callbacks *handlers, void *arg, se_bytes text, se_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, bind_functions);
    TRY(check_characters(text, err));
    return parse_text(handlers, arg, text, err);
}
