/* Whom to trust. */
#ifndef ENGINE_ROOTS_H
#define ENGINE_ROOTS_H

#include <openssl/x509.h>

#include "base/buf.h"

SE_MUST_CHECK se_status roots_add(X509_STORE *roots, STACK_OF(X509) * certificates, se_error *err);

/* The certificates of a PEM file. */
SE_MUST_CHECK se_status roots_load(X509_STORE *roots, const char *path, se_error *err);

#endif
