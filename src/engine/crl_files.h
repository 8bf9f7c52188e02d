/* SPDX-License-Identifier: Apache-2.0 */
/* CRLs from files and folders, as se_revocation_params names them. */
#ifndef ENGINE_CRL_FILES_H
#define ENGINE_CRL_FILES_H

#include "crypto/crl.h"

/*
 * `path` is a file, or a folder of files named *.crl and *.pem.  SE_ERR_FORMAT: a file that has to
 * hold a CRL does not; of a folder that is each *.crl.
 */
SE_MUST_CHECK se_status crl_files_load(STACK_OF(X509_CRL) * crls, const char *path, se_error *err);

#endif
