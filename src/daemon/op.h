/* SPDX-License-Identifier: Apache-2.0 */
/* What operations share: reading requests, writing answers; and the jobs of the rows in routes.c.
 */
#ifndef DAEMON_OP_H
#define DAEMON_OP_H

#include "base/json_write.h"
#include "daemon/json_read.h"
#include "daemon/operation.h"

/* ---- requests ---- */

const char *request_descriptor(const struct request *request);

/* Of the descriptor; 0: any, or the highest. */
SE_MUST_CHECK se_status request_version(unsigned *out, const struct request *request,
                                        se_error *err);

/* Between steps of what takes long. SE_ERR_CANCELLED: nobody waits for it any more. */
SE_MUST_CHECK se_status request_go_on(const struct request *request, uint64_t done, se_error *err);

/* The bytes of a context (se_context()): of the parameter `context`, an object of strings in JSON,
 * or of such an object in a body. Without any: empty. */
SE_MUST_CHECK se_status request_context(se_buf *out, const struct request *request, se_error *err);
SE_MUST_CHECK se_status context_encode(se_buf *out, const struct json_pairs *pairs, se_error *err);

/* ---- answers ---- */

/* Octets are answered by octets, JSON by JSON, unless the other is all that is wanted. */
bool answers_json(const struct request *request);

/* An object of JSON that ends with `requestId`. */
void answer_begin(struct writer *w);
SE_MUST_CHECK se_status answer_finish(struct answer *out, struct writer *w,
                                      const struct request *request, se_error *err);

/* Moves the bytes. */
void answer_bytes(struct answer *out, enum media media, se_buf *bytes);

/* For an answer that is written in pieces, and may be large. */
se_sink answer_stream(struct answer *out, enum media media, const struct request *request);

/* Members about who signed. */
void json_write_signer(struct writer *w, const se_signer *signer);

/* ---- many of a kind in one call ---- */

/* A failure of this one alone; the others are worked on. */
bool is_fault_of_item(se_status status);

/* {"status":"rejected","message":…}: without the text of what only an administrator may know, and
 * the members are those of an object that has begun. */
void write_item_failure(struct writer *w, se_status status, const char *text);

/* ---- jobs ---- */

typedef se_status operation_run(struct answer *out, const struct request *request, se_error *err);

operation_run sign_content, verify_content;
operation_run jws_sign_body, jws_verify_body, jwt_sign_claims, jwt_verify_body;
operation_run encrypt_fields, decrypt_fields, rekey_fields;
operation_run zip_sign_body, zip_verify_body, zip_encrypt_body, zip_decrypt_body;
operation_run mail_sign_body, mail_verify_body;
operation_run history_append_entries, history_answer_head, history_answer_entry,
    history_answer_proof;
operation_run answer_certificates, answer_check, answer_access, answer_metrics;

#endif
