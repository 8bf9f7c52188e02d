#include "config/pins.h"

#include "base/text.h"
#include "config/pin_key.h"
#include "config/scramble.h"

bool pins_is_scrambled(const char *value)
{
    return text_starts(value, SCRAMBLE_PREFIX);
}

se_status pins_scramble(se_buf *out, se_bytes pin, const char *pin_key, se_error *err)
{
    AUTO(se_buf) key = SE_BUF_INIT;

    *out = (se_buf)SE_BUF_INIT;
    TRY(pin_key_make(&key, pin_key, err));
    return scramble_seal(out, pin, buf_bytes(&key), err);
}

se_status pins_reveal(se_buf *out, const char *value, const char *pin_key, se_error *err)
{
    AUTO(se_buf) key = SE_BUF_INIT;
    se_error why = SE_ERROR_INIT;
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    TRY(pin_key_read(&key, pin_key, err));
    if ((st = scramble_open(out, value, buf_bytes(&key), &why)))
        return error_set(err, st == SE_ERR_MEMORY ? st : SE_ERR_ACCESS,
                         "the PIN can't be unscrambled with '%s': %s", pin_key, why.text);
    return SE_OK;
}
