/* SPDX-License-Identifier: Apache-2.0 */
/* signengined.conf: what is taken has what the daemon needs, what is not is told with its line. */
#include <stdlib.h>

#include "daemon/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge_taken(const struct settings *s)
{
    if (!s->socket || s->socket[0] != '/' || !s->threads || !s->io_threads || !s->queue ||
        !s->connections || !s->per_user || !s->body || s->bodies < s->body || s->mode > 0777)
        abort();
    for (size_t i = 0; i < s->history_count; i++)
        if (!s->histories[i].name || !s->histories[i].store || !s->histories[i].chain ||
            !s->histories[i].descriptor)
            abort();
    if (settings_difference(s, s))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(settings) settings = NULL;
    AUTO(se_buf) text = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    se_status st;

    if (buf_copy(&text, (se_bytes){ data, size }, NULL))
        return 0;
    st = settings_parse(&settings, &text, "signengined.conf", &err);
    if (!st)
        judge_taken(settings);
    else if (settings || st != SE_ERR_CONFIG || strncmp(err.text, "signengined.conf:", 17) != 0)
        abort();
    return 0;
}
