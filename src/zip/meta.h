/* What a file of META-INF is to a signed archive (JAR file specification, "Signed JAR File"). */
#ifndef ZIP_META_H
#define ZIP_META_H

#include <stdbool.h>
#include <stddef.h>

#define META_FOLDER        "META-INF/"
#define META_MANIFEST_NAME META_FOLDER "MANIFEST.MF"

enum meta {
    META_NONE = 0, /* a file like any other, to be signed */
    META_MANIFEST,
    META_SIGNATURE_FILE, /* NAME.SF */
    META_BLOCK,          /* NAME.RSA, NAME.EC: the signature of NAME.SF */
    META_FOREIGN,        /* NAME.DSA, SIG-NAME: part of a signature for Java, which we do not accept */
};

/* By name in any case, as Java sees it. */
enum meta meta_kind(const char *name);

/* Whether a name of such a kind is spelled in capitals, as everybody writes it. */
bool meta_is_plain(const char *name);

/* "META-INF/NAME" without extension; how many characters. */
size_t meta_stem(const char *name);

enum { META_STEM_MOST = 8 };
/* jarsigner's rule: eight characters of the alias, in capitals, whatever else is an underscore. */
void meta_stem_of(char out[META_STEM_MOST + 1], const char *alias);

#endif
