/* SPDX-License-Identifier: Apache-2.0 */
/* The file that the configuration's `certificate` names, beside a key in a store that holds no
 * certificates. */
#ifndef PROVISION_TARGET_CERTIFICATE_H
#define PROVISION_TARGET_CERTIFICATE_H

#include "base/file.h"
#include "provision/keystore.h"

/* Whether it names one, and that is there. */
bool target_certificate_is_there(const struct target *target);

/* Whether one of those that are there is of that key. */
bool target_certificate_has_key(const struct target *target, const EVP_PKEY *key);

/*
 * Before a key is made that is nothing without it: what can't be written then is known now.
 * SE_ERR_USAGE: the configuration names no file.
 */
SE_MUST_CHECK se_status target_certificate_open(struct output *out, const struct target *target,
                                                se_error *err);

/* In place of what is there, unless `replace` says that other certificates of the key stay, and the
 * issuers of all of them. */
SE_MUST_CHECK se_status target_certificate_write(struct output *out, const struct target *target,
                                                 X509 *certificate, const STACK_OF(X509) * chain,
                                                 enum replace replace, se_error *err);

#endif
