/* The records of a zip archive (PKWARE APPNOTE 6.3.10, section 4.3): little endian, found by their signatures. */
#ifndef ZIP_RECORDS_H
#define ZIP_RECORDS_H

#include <stddef.h>
#include <stdint.h>

#define LOCAL_SIGNATURE      0x04034b50u
#define CENTRAL_SIGNATURE    0x02014b50u
#define DESCRIPTOR_SIGNATURE 0x08074b50u
#define END_SIGNATURE        0x06054b50u
#define END64_SIGNATURE      0x06064b50u
#define LOCATOR_SIGNATURE    0x07064b50u

enum {
    LOCAL_SIZE = 30,
    CENTRAL_SIZE = 46,
    END_SIZE = 22,
    END64_SIZE = 56,
    LOCATOR_SIZE = 20,
    COMMENT_MOST = 65535,
};

/* saturated fields, whose value is in the zip64 extra field or record */
#define FULL16 0xffffu
#define FULL32 0xffffffffu

enum { METHOD_STORED = 0, METHOD_DEFLATED = 8 };

/* general purpose bits */
enum {
    FLAG_ENCRYPTED = 1 << 0,
    FLAG_LEVEL = 3 << 1, /* which effort the compressor made */
    FLAG_DESCRIPTOR = 1 << 3,
    FLAG_UTF8 = 1 << 11,
};

/* extra fields */
enum {
    EXTRA_ZIP64 = 0x0001,
    EXTRA_UNIX = 0x000d,
    EXTRA_UNIX_FIXED = 12, /* bytes of it that are not the target of a link */
    EXTRA_ASI_UNIX = 0x756e,
    EXTRA_ALIGNMENT = 0xa11e,
    EXTRA_UNICODE_PATH = 0x7075,
};

static inline uint64_t le_get(const unsigned char *p, size_t bytes)
{
    uint64_t number = 0;

    while (bytes--)
        number = number << 8 | p[bytes];
    return number;
}
static inline uint16_t le16(const unsigned char *p)
{
    return (uint16_t)le_get(p, 2);
}
static inline uint32_t le32(const unsigned char *p)
{
    return (uint32_t)le_get(p, 4);
}
static inline uint64_t le64(const unsigned char *p)
{
    return le_get(p, 8);
}

static inline void le_put(unsigned char *p, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++, number >>= 8)
        p[i] = (unsigned char)number;
}

#endif
