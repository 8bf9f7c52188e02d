#include "provision/template.h"

#include <openssl/bn.h>

AUTO_KIND(secret_number, BIGNUM *, BN_clear_free(*p))

void template_free(struct template *t)
{
    for (size_t i = 0; i < t->kept_count; i++)
        se_buf_free(&t->kept[i]);
    *t = (struct template){ .count = 0 };
}

void template_bytes(struct template *t, CK_ATTRIBUTE_TYPE type, se_bytes value)
{
    if (t->count == TEMPLATE_ROOM)
        t->failed = true;
    else /* PKCS #11 has one struct for what is read and what is written: here it is only read */
        t->list[t->count++] = (CK_ATTRIBUTE){ type, (void *)value.data, value.size };
}

void template_flag(struct template *t, CK_ATTRIBUTE_TYPE type, bool flag)
{
    static const CK_BBOOL values[] = { CK_FALSE, CK_TRUE };

    template_bytes(t, type, (se_bytes){ &values[flag], sizeof values[flag] });
}

void template_number(struct template *t, CK_ATTRIBUTE_TYPE type, const CK_ULONG *number)
{
    template_bytes(t, type, (se_bytes){ number, sizeof *number });
}

void template_keep(struct template *t, CK_ATTRIBUTE_TYPE type, se_buf *value)
{
    if (t->kept_count == TEMPLATE_ROOM) {
        t->failed = true;
        se_buf_free(value);
        return;
    }
    t->kept[t->kept_count] = buf_move(value);
    template_bytes(t, type, buf_bytes(&t->kept[t->kept_count++]));
}

void template_der(struct template *t, CK_ATTRIBUTE_TYPE type, const ASN1_ITEM *item,
                  const void *value)
{
    unsigned char *der = NULL;
    int size = value ? ASN1_item_i2d(value, &der, item) : -1;
    se_buf copy = SE_BUF_INIT;

    if (size <= 0 || buf_copy(&copy, (se_bytes){ der, (size_t)size }, NULL))
        t->failed = true;
    else
        template_keep(t, type, &copy);
    OPENSSL_free(der);
}

void template_key_number(struct template *t, CK_ATTRIBUTE_TYPE type, const EVP_PKEY *key,
                         const char *name)
{
    AUTO(secret_number) number = NULL;
    se_buf value = SE_BUF_INIT;

    if (!EVP_PKEY_get_bn_param(key, name, &number) ||
        buf_new(&value, (size_t)BN_num_bytes(number), NULL)) {
        t->failed = true;
        return;
    }
    (void)BN_bn2bin(number, value.data);
    template_keep(t, type, &value);
}
