/* SPDX-License-Identifier: Apache-2.0 */
/* The records of a zip archive (PKWARE APPNOTE 6.3.10, section 4.3): little endian, found by their
 * signatures. */
#ifndef ZIP_RECORDS_H
#define ZIP_RECORDS_H

#include <stddef.h>
#include <stdint.h>

#define LOCAL_SIGNATURE      0x04034b50u
#define CENTRAL_SIGNATURE    0x02014b50u
#define DESCRIPTOR_SIGNATURE 0x08074b50u
#define EOCD_SIGNATURE       0x06054b50u
#define EOCD64_SIGNATURE     0x06064b50u
#define LOCATOR_SIGNATURE    0x07064b50u

enum {
    LOCAL_SIZE = 30,
    CENTRAL_SIZE = 46,
    EOCD_SIZE = 22,
    EOCD64_SIZE = 56,
    LOCATOR_SIZE = 20,
    COMMENT_MOST = 65535,
    EXTRA_MOST = 65535,
    LOCAL_MOST = LOCAL_SIZE + 2 * 65535,     /* with name and extra fields */
    CENTRAL_MOST = CENTRAL_SIZE + 3 * 65535, /* with a comment, too */
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

/* "version needed to extract": deflate asks for 2.0, zip64 for 4.5 */
enum { VERSION_ZIP64 = 45, VERSION_MOST = VERSION_ZIP64 };

/* "version made by": systems, in the high byte (APPNOTE 4.4.2.2; Info-ZIP counts NTFS otherwise) */
enum {
    MADE_BY_DOS = 0,
    MADE_BY_UNIX = 3,
    MADE_BY_NTFS = 10,
    MADE_BY_NTFS_INFOZIP = 11,
    MADE_BY_VFAT = 14,
    MADE_BY_MACOS = 19,
};

/* extra fields (APPNOTE 4.5.2, 4.6; Info-ZIP's extrafld.txt) */
enum {
    EXTRA_ZIP64 = 0x0001,
    EXTRA_ZIP64_LOCAL = 4 + 2 * 8, /* bytes of one that has both sizes, as local headers do */
    EXTRA_NTFS_TIMES = 0x000a,
    EXTRA_UNIX = 0x000d,
    EXTRA_UNIX_FIXED = 12, /* bytes of it that are not the target of a link */
    EXTRA_TIMES = 0x5455,
    EXTRA_UNIX_TIMES = 0x5855, /* and an owner, if it is longer */
    EXTRA_UNICODE_COMMENT = 0x6375,
    EXTRA_UNICODE_PATH = 0x7075,
    EXTRA_ASI_UNIX = 0x756e,
    EXTRA_ASI_MODE = 4, /* where its mode is */
    EXTRA_ASI_FIXED = 14,
    EXTRA_UNIX_OWNER_16 = 0x7855,
    EXTRA_UNIX_OWNER = 0x7875,
    EXTRA_ALIGNMENT = 0xa11e,
    EXTRA_GROWTH_HINT = 0xa220,
    EXTRA_JAR = 0xcafe,
    EXTRA_ALIGNMENT_ANDROID = 0xd935,
};

static inline uint64_t le_get(const unsigned char *p, size_t bytes)
{
    uint64_t number = 0;

    while (bytes--)
        number = number << 8 | p[bytes];
    return number;
}
static inline uint16_t le_get16(const unsigned char *p)
{
    return (uint16_t)le_get(p, 2);
}
static inline uint32_t le_get32(const unsigned char *p)
{
    return (uint32_t)le_get(p, 4);
}
static inline uint64_t le_get64(const unsigned char *p)
{
    return le_get(p, 8);
}

static inline void le_put(unsigned char *p, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++, number >>= 8)
        p[i] = (unsigned char)number;
}

#endif
