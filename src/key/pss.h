/* The AlgorithmIdentifier of an RSASSA-PSS signature (RFC 4055, 3.1). */
#ifndef KEY_PSS_H
#define KEY_PSS_H

#include <openssl/x509.h>

#include "model/algorithm.h"

/* DER, as an i2d function makes it: returns its size, below 1 on failure; *der is released with OPENSSL_free(). */
int pss_algorithm(unsigned char **der, enum digest digest, int salt);

/* The reverse: false unless hash and mask generation use one and the same digest that the engine knows, and the trailer is the usual one.
 */
bool pss_algorithm_read(enum digest *digest, int *salt, const X509_ALGOR *algorithm);

#endif
