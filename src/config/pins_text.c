#include <openssl/crypto.h>

#include "config/encoding.h"
#include "config/pin_extract.h"
#include "config/pins.h"
#include "config/scan.h"

struct rewriting {
    struct writer out;
    const char *done; /* up to here the text has been copied */
    const char *pin_key;
    size_t count;
};

static se_status rewrite(struct rewriting *r, const struct scan_item *item, se_bytes pin,
                         se_error *err)
{
    AUTO(se_buf) value = SE_BUF_INIT;

    TRY(pins_scramble(&value, pin, r->pin_key, err));
    writer_put(&r->out, r->done, (size_t)((const char *)item->value.data - r->done));
    writer_put(&r->out, value.data, value.size);
    r->done = (const char *)item->value.data + item->value.size;
    r->count++;
    return SE_OK;
}

static se_status visit(void *arg, const struct scan_item *item, se_error *err)
{
    static const char name[] = "pin.encrypted";
    AUTO(se_buf) pin = SE_BUF_INIT;

    if (item->element || item->name.size != sizeof name - 1 ||
        memcmp(item->name.data, name, item->name.size))
        return SE_OK;
    TRY(lift_decode(&pin, item->value, err));
    return !pin.size || pins_is_scrambled((const char *)pin.data)
               ? SE_OK
               : rewrite(arg, item, buf_bytes(&pin), err);
}

/* What is scrambled already must be so with the key that the new values get: a configuration has
 * one. */
static se_status check_scrambled(const struct lifted *lifted, const char *pin_key, se_error *err)
{
    se_status st = SE_OK;

    for (size_t i = 0; !st && i < lifted_pins(lifted); i++) {
        AUTO(se_buf) pin = SE_BUF_INIT;
        const se_buf *value = lifted_pin(lifted, i);

        if (pins_is_scrambled((const char *)value->data))
            st = pins_reveal(&pin, (const char *)value->data, pin_key, err);
    }
    return st;
}

static bool same(se_bytes a, se_bytes b)
{
    return a.size == b.size && !CRYPTO_memcmp(a.data, b.data, a.size);
}

static bool same_pin(const se_buf *before, const se_buf *after, const char *pin_key)
{
    AUTO(se_buf) pin = SE_BUF_INIT;

    if (same(buf_bytes(before), buf_bytes(after)))
        return true;
    return !pins_reveal(&pin, (const char *)after->data, pin_key, NULL) &&
           same(buf_bytes(before), buf_bytes(&pin));
}

/* Nothing but PINs has changed, and they only in form. */
static bool equivalent(const struct lifted *before, const struct lifted *after, const char *pin_key)
{
    if (!same(buf_bytes(&before->text.buf), buf_bytes(&after->text.buf)) ||
        lifted_pins(before) != lifted_pins(after))
        return false;
    for (size_t i = 0; i < lifted_pins(before); i++)
        if (!same_pin(lifted_pin(before, i), lifted_pin(after, i), pin_key))
            return false;
    return true;
}

static se_status at_line(se_status st, int line, se_error *err)
{
    if (st == SE_ERR_CONFIG)
        (void)error_prefix(err, "line %d: ", line);
    return st;
}

static se_status read_text(struct lifted *out, se_bytes text, se_error *err)
{
    int line;
    se_status st;

    *out = (struct lifted){ 0 };
    if (!(st = encoding_check(text, &line, err)))
        st = lift_pins(out, text, &line, err);
    return at_line(st, line, err);
}

static se_status rewrite_all(se_buf *out, struct rewriting *r, se_bytes config, se_error *err)
{
    int line;
    se_status st = scan_xml(config, visit, r, &line, err);

    if (st)
        return at_line(st, line, err);
    writer_put(&r->out, r->done, (size_t)((const char *)config.data + config.size - r->done));
    return writer_finish(out, &r->out, err);
}

se_status pins_scramble_text(se_buf *out, size_t *count, se_bytes config, const char *pin_key,
                             se_error *err)
{
    AUTO(lifted) before = { 0 };
    AUTO(lifted) after = { 0 };
    AUTO(se_buf) text = SE_BUF_INIT;
    struct rewriting r = { .done = config.data, .pin_key = pin_key };
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    *count = 0;
    TRY(read_text(&before, config, err));
    TRY(check_scrambled(&before, pin_key, err));
    st = rewrite_all(&text, &r, config, err);
    writer_free(&r.out);
    if (st || (st = read_text(&after, buf_bytes(&text), err)))
        return st;
    if (!equivalent(&before, &after, pin_key))
        return error_set(err, SE_ERR_CRYPTO,
                         "the PINs could not be scrambled: the result differs from the original");
    *out = buf_move(&text);
    *count = r.count;
    return SE_OK;
}
