#include "model/pins.h"
#include "store/store.h"

se_status se_scramble_pins(se_buf *out, size_t *count, se_bytes config, const char *pin_key, se_error *error)
{
    *out = (se_buf)SE_BUF_INIT;
    *count = 0;
    if (!pin_key)
        return error_set(error, SE_ERR_USAGE, "no file with the scrambling key is named");
    return pins_scramble_text(out, count, config, pin_key, error);
}

se_status se_scramble_pin(se_buf *out, se_bytes pin, const char *pin_key, se_error *error)
{
    *out = (se_buf)SE_BUF_INIT;
    if (!pin_key || !pin.size)
        return error_set(error, SE_ERR_USAGE, pin_key ? "an empty PIN" : "no file with the scrambling key is named");
    return pins_scramble(out, pin, pin_key, error);
}

void se_retry_pins(void)
{
    store_forget_refused_pins();
}
