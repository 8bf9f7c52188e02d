#include "base/arguments.h"
#include "mail/mime.h"
#include "signengine-mail.h"

se_status se_mail_address(se_buf *out, const char *from, se_error *error)
{
    AUTO(addresses) addresses = { .count = 0 };
    se_status st;

    if (out)
        *out = (se_buf)SE_BUF_INIT;
    if (!(st = arguments_check(error, out, from)))
        st = addresses_read(&addresses, from, error);
    if (st)
        return st;
    if (addresses.count != 1)
        return error_set(error, SE_ERR_FORMAT, "%zu mail addresses, one is expected",
                         addresses.count);
    return buf_copy(out, text_bytes(addresses.list[0]), error);
}
