/* What becomes of a name where letters are not told apart that look alike. */
#ifndef ZIP_CASEFOLD_H
#define ZIP_CASEFOLD_H

#include "base/buf.h"

/*
 * Appends `name`, UTF-8, and a NUL: compatibility decomposition, full case folding (The Unicode Standard, D146), and no characters that may
 * be ignored.  That is more than any one file system does: macOS decomposes, Linux (casefold) ignores, Windows takes full-width letters for
 * plain ones where programs ask for names in an old code page.  SE_ERR_UNAVAILABLE: libunistring is not there.
 */
SE_MUST_CHECK se_status casefold_name(struct writer *out, se_bytes name, se_error *err);

bool casefold_is_needed(se_bytes name);

#endif
