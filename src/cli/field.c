#include "cli/field.h"

#include <ctype.h>

int context_read(struct context *out, const struct cli *cli, const struct option_list *list,
                 const char *column)
{
    AUTO(se_buf) bytes = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    *out = (struct context){ .column = column };
    for (size_t i = 0; i < list->count; i++) {
        const char *text = list->items[i], *equals = strchr(text, '=');

        if (!equals)
            return cli_usage(cli, "--context '%s': NAME=VALUE is needed", text);
        out->pairs[out->count++] =
            (se_pair){ { text, (size_t)(equals - text) }, text_bytes(equals + 1) };
    }
    if (column)
        out->pairs[out->count] = (se_pair){ text_bytes(column), { NULL, 0 } };
    if (se_context(&bytes, out->pairs, out->count + (column != NULL), &err))
        return cli_fail(cli, &err);
    return EXIT_DONE;
}

se_status context_bytes(se_buf *out, const struct context *context, se_bytes key, se_error *err)
{
    se_pair pairs[OPTION_LIST_MOST + 1];

    memcpy(pairs, context->pairs, sizeof pairs);
    pairs[context->count].value = key;
    return se_context(out, pairs, context->count + (context->column != NULL), err);
}

int context_gather(se_buf *out, const struct cli *cli, const struct option_list *list)
{
    struct context context;
    se_error err = SE_ERROR_INIT;
    int status = context_read(&context, cli, list, NULL);

    *out = (se_buf)SE_BUF_INIT;
    if (status || !context.count)
        return status;
    return context_bytes(out, &context, (se_bytes){ NULL, 0 }, &err) ? cli_fail(cli, &err)
                                                                     : EXIT_DONE;
}

static bool is_text(se_bytes value)
{
    const unsigned char *p = value.data;
    size_t i = 0;

    while (i < value.size && (isgraph(p[i]) || isspace(p[i])))
        i++;
    return i == value.size;
}

se_bytes value_trim(se_bytes value)
{
    const unsigned char *p = value.data;

    if (is_text(value))
        while (value.size && isspace(p[value.size - 1]))
            value.size--;
    return value;
}
