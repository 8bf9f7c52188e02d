/* SPDX-License-Identifier: Apache-2.0 */
/* Workload identity: Kubernetes vouches for a pod by a file with an assertion. */
#include "base/file.h"
#include "keystore/azure/assertion.h"

enum { FEDERATED_LIMIT = 65536 };

/* What editors and scripts leave at the end. */
static void drop_blanks(se_buf *text)
{
    unsigned char *data = text->data;

    while (text->size && strchr(" \t\r\n", data[text->size - 1]))
        data[--text->size] = '\0';
}

/* Anew each time: the kubelet replaces it before it expires, by default each hour. */
static se_status read_federated(se_buf *out, const char *path, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    se_status st = file_read(&text, path, FEDERATED_LIMIT, err);

    *out = (se_buf)SE_BUF_INIT;
    if (st)
        return st == SE_ERR_MEMORY ? st : error_restate(err, SE_ERR_ACCESS);
    drop_blanks(&text);
    if (!text.size)
        return error_set(err, SE_ERR_ACCESS, "'%s' is empty", path);
    if (strlen((const char *)text.data) != text.size)
        return error_set(err, SE_ERR_ACCESS, "'%s' holds a NUL byte", path);
    *out = buf_move(&text);
    return SE_OK;
}

static se_status ask_with_federated(struct token_answer *out,
                                    const struct credential_request *request, se_error *err)
{
    const char *path = credential_variable("AZURE_FEDERATED_TOKEN_FILE");
    AUTO(se_buf) assertion = SE_BUF_INIT;
    struct credential_client client;

    *out = (struct token_answer){ .lifetime = 0 };
    if (!*path)
        return error_set(err, SE_ERR_ACCESS,
                         "credential workloadIdentity needs $AZURE_FEDERATED_TOKEN_FILE, which is "
                         "not set: is the pod labelled azure.workload.identity/use?");
    TRY(credential_client(&client, &workload_identity_credential, request, err));
    TRY_PREFIX(read_federated(&assertion, path, err), err, "AZURE_FEDERATED_TOKEN_FILE: ");
    return assertion_present(out, request, &client, &assertion, err);
}

const struct credential_type workload_identity_credential = {
    .kind = CREDENTIAL_WORKLOAD_IDENTITY,
    .name = "workloadIdentity",
    .has_variables = true,
    .ask = ask_with_federated,
};
