#include "config/pin_extract.h"
#include "config/pins.h"
#include "base/arguments.h"
#include "keystore/keystore.h"

se_status se_scramble_pins(se_buf *out, size_t *count, se_bytes config, const char *pin_key,
                           se_error *error)
{
    se_status st = arguments_check(error, out, count, given_bytes(config), pin_key);

    if (out)
        *out = (se_buf)SE_BUF_INIT;
    if (count)
        *count = 0;
    if (st)
        return st;
    return pins_scramble_text(out, count, config, pin_key, error);
}

se_status se_scramble_pin(se_buf *out, se_bytes pin, const char *pin_key, se_error *error)
{
    se_status st = arguments_check(error, out, given_bytes(pin), pin_key);

    if (out)
        *out = (se_buf)SE_BUF_INIT;
    if (st)
        return st;
    if (!pin.size)
        return error_set(error, SE_ERR_USAGE, "an empty PIN");
    return pins_scramble(out, pin, pin_key, error);
}

void se_retry_pins(void)
{
    store_forget_refused_pins();
}
