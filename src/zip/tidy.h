/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What headers say beside names and content.  Nobody signs it, and extractors obey it: it must be
 * what it can't do harm with.  Verifying wants it so, signing makes it so.
 */
#ifndef ZIP_TIDY_H
#define ZIP_TIDY_H

#include "base/buf.h"

/* Behind all that is refused when it is verified, and put right when it is signed; archive.c has
 * what helps signers. */
#define SIGN_ANEW "; signing anew puts it right"

/* The external attributes, without what they must not say; "-" is a file, and a folder's name a
 * folder's. */
uint32_t tidy_attributes(uint32_t attributes, const char *name, bool folder);

/* General purpose bits: UTF-8 is marked as such where the comment allows it, for it is marked with
 * the name. */
uint16_t tidy_flags(uint16_t flags, const char *name, se_bytes comment);

/* "Version needed to extract": readers leave out what asks for more than they know. */
uint16_t tidy_version(uint16_t needed);

/* "Version made by", whose system tells readers how to understand the attributes. */
uint16_t tidy_maker(uint16_t made_by);

/* SE_ERR_REJECTED, with what is wrong, if one of them is not tidy. */
SE_MUST_CHECK se_status tidy_check_central(const unsigned char *central, bool folder,
                                           const char *name, se_error *err);
SE_MUST_CHECK se_status tidy_check_version(uint16_t needed, const char *name, const char *where,
                                           se_error *err);

#endif
