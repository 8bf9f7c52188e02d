/* SPDX-License-Identifier: Apache-2.0 */
/* What leaving a token and coming back to it have in common. */
#ifndef PROVISION_TOKEN_WRAP_H
#define PROVISION_TOKEN_WRAP_H

#include "provision/token_keystore.h"

/* PKCS #11 3.0; p11-kit's header is older. */
#define CKM_AES_KEY_WRAP_KWP 0x210bUL

/* An object of the session, which ends with it; `what` is for messages. */
SE_MUST_CHECK se_status session_object_create(CK_OBJECT_HANDLE *out, struct token_keystore *s,
                                              struct p11_template *t, const char *what,
                                              se_error *err);

/* What an AES key of the session may do: unwrap, and wrap or leave, and nothing else. */
void describe_file_key(struct p11_template *t, bool may_wrap);

struct oaep_mechanism {
    CK_RSA_PKCS_OAEP_PARAMS params;
    CK_MECHANISM mechanism;
};
void oaep_mechanism(struct oaep_mechanism *out, const struct unwrap_how *how);
CK_MECHANISM aes_mechanism(CK_MECHANISM_TYPE type, unsigned char iv[WRAPPED_IV]);

/* `flag`: CKF_WRAP or CKF_UNWRAP. */
bool token_has_mechanism(struct token_keystore *s, CK_MECHANISM_TYPE type, CK_FLAGS flag);

/* As a session object, which nobody else sees; `file_key` is there. */
SE_MUST_CHECK se_status token_try_unwrapping(struct token_keystore *s,
                                             const struct wrapped_key *key,
                                             CK_OBJECT_HANDLE file_key, se_error *err);

#endif
