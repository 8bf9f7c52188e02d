/* What a file of META-INF is to a signed archive (JAR file specification, "Signed JAR File"). */
#ifndef ZIP_JAR_NAMES_H
#define ZIP_JAR_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#define JAR_FOLDER        "META-INF/"
#define JAR_MANIFEST_NAME JAR_FOLDER "MANIFEST.MF"

enum jar_name {
    JAR_OTHER = 0, /* a file like any other, to be signed */
    JAR_MANIFEST,
    JAR_SIGNATURE_FILE, /* NAME.SF */
    JAR_BLOCK,          /* NAME.RSA, NAME.EC: the signature of NAME.SF */
    JAR_FOREIGN,        /* NAME.DSA, SIG-NAME: part of a signature for Java, which we do not accept */
};

/* By name in any case, as Java sees it. */
enum jar_name jar_name_kind(const char *name);

/* Whether a name of such a kind is spelled in capitals, as everybody writes it. */
bool jar_name_is_plain(const char *name);

/* "META-INF/NAME" without extension; how many characters. */
size_t jar_name_measure_stem(const char *name);

enum { JAR_STEM_MOST = 8 };
/* jarsigner's rule: eight characters of the alias, in capitals, whatever else is an underscore. */
void jar_name_make_stem(char out[JAR_STEM_MOST + 1], const char *alias);

#endif
