/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that signengine runs itself. */
#include "cli/commands.h"

const struct sink_type *const command_histories = NULL;

const struct command *const commands[] = {
    &command_check,
    &command_config_fingerprint,
    &command_config_show,
    &command_config_sign,
    &command_config_verify,
    &command_config_diff,
    &command_sign,
    &command_verify,
    &command_encrypt,
    &command_decrypt,
    &command_rekey,
    &command_pin_scramble,
    &command_key_init,
    &command_key_list,
    &command_key_generate,
    &command_key_request,
    &command_key_import,
    &command_key_certificate,
    &command_key_delete,
    &command_key_recover,
    &command_key_purge,
    &command_key_backup,
    &command_key_restore,
    &command_key_rotate,
    &command_key_roles_list,
    &command_key_roles_grant,
    &command_key_roles_revoke,
    &command_key_store_backup,
    &command_key_store_restore,
    &command_key_store_status,
    &command_zip_sign,
    &command_zip_verify,
    &command_zip_encrypt,
    &command_zip_decrypt,
    NULL,
};
