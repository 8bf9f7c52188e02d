/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What those say that a certificate names for that: OCSP responders (RFC 5280, 4.2.2.1) and places
 * of CRLs (4.2.1.13).  By HTTP only: what comes is signed, and somebody has to begin without TLS.
 */
#ifndef ENGINE_REVOCATION_FETCH_H
#define ENGINE_REVOCATION_FETCH_H

#include "crypto/revocation_report.h"

/* revocation_fetch_fn, both. */
bool ocsp_answer_fetch(char why[REVOCATION_WHY], struct revocation_sources *sources,
                       X509 *certificate, X509 *issuer);
bool crl_fetch(char why[REVOCATION_WHY], struct revocation_sources *sources, X509 *certificate,
               X509 *issuer);

#endif
