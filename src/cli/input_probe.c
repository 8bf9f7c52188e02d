/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/input_probe.h"

#include <errno.h>
#include <stdio.h>

#include "base/stream.h"
#include "base/text.h"

static ptrdiff_t read_probed(void *arg, void *data, size_t size)
{
    struct input_probe *s = arg;
    size_t n = s->size - s->at < size ? s->size - s->at : size;

    if (!n)
        return s->input.source.read(s->input.source.arg, data, size);
    memcpy(data, s->first + s->at, n);
    s->at += n;
    return (ptrdiff_t)n;
}

/* APPNOTE.TXT, 4.3: a file, the end of an empty archive, or the mark of one that was split. */
static bool begins_as_zip(const unsigned char first[PROBE_SIZE], size_t size)
{
    static const char *const marks[] = { "PK\3\4", "PK\5\6", "PK\7\10" };
    bool found = false;

    for (size_t i = 0; size == PROBE_SIZE && i < sizeof marks / sizeof *marks; i++)
        found |= !strncmp((const char *)first, marks[i], PROBE_SIZE);
    return found;
}

se_status input_probe_open(struct input_probe *s, const char *path, se_error *err)
{
    ptrdiff_t n = 1;

    *s = (struct input_probe){ .input = INPUT_INIT };
    TRY(input_open(&s->input, path, err));
    while (n > 0 && s->size < PROBE_SIZE) {
        n = s->input.source.read(s->input.source.arg, s->first + s->size, PROBE_SIZE - s->size);
        s->size += n > 0 ? (size_t)n : 0;
    }
    if (n < 0)
        return error_set(err, SE_ERR_IO, "cannot read '%s': %s", s->input.name, strerror(errno));
    s->encrypted = s->size && se_is_container((se_bytes){ s->first, s->size });
    s->zip = begins_as_zip(s->first, s->size);
    s->source = (se_source){ read_probed, s, s->input.source.total };
    return SE_OK;
}

void input_probe_close(struct input_probe *s)
{
    input_close(&s->input);
}

static se_status copy_piece(void *arg, se_bytes piece, se_error *err)
{
    return sink_write(arg, piece, err);
}

se_status input_probe_copy(const struct result *result, struct input_probe *s, se_error *err)
{
    struct stream in = { &s->source, NULL, NULL, 0 };
    se_sink sink = result->sink;

    return stream_drain(&in, copy_piece, &sink, err);
}

se_status zip_to_verify_open(struct zip_to_verify *c, const char *out, const struct decrypting *how,
                             const char *in, se_error *err)
{
    se_container_params params = SE_CONTAINER_PARAMS_INIT;

    TRY(input_probe_open(&c->in, in, err));
    c->is_held = out || c->in.encrypted;
    if (!c->is_held)
        return SE_OK;
    TRY(result_open_held(&c->held, out ? out : "-", err));
    result_path(c->path, &c->held);
    params.context = how->context;
    if (c->in.encrypted)
        return service_container_decrypt(&c->held.sink, how->service, how->descriptor,
                                         &c->in.source, &params, err);
    return input_probe_copy(&c->held, &c->in, err);
}

const char *zip_to_verify_path(const struct zip_to_verify *c)
{
    return c->is_held ? c->path : c->in.input.name;
}

void zip_to_verify_blame(const struct zip_to_verify *c, se_error *err)
{
    char prefix[RESULT_PATH + 8], text[sizeof err->text];

    (void)snprintf(prefix, sizeof prefix, "'%s': ", c->path);
    if (!c->is_held || !text_starts(err->text, prefix))
        return;
    (void)snprintf(text, sizeof text, "%s", err->text + strlen(prefix));
    (void)snprintf(err->text, sizeof err->text, "%s", text);
    (void)error_prefix(err, err->status, "'%s': ", c->in.input.name);
}

void zip_to_verify_close(struct zip_to_verify *c)
{
    input_probe_close(&c->in);
    result_discard(&c->held);
}
