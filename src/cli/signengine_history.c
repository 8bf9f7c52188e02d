/* signengine-history: only it loads SQLite and libpq. */
#include "cli/commands.h"

const struct command *const commands[] = {
    &command_help,
    &command_version,
    &command_history_create,
    &command_history_append,
    &command_history_list,
    &command_history_head,
    &command_history_verify,
    &command_history_show,
    &command_history_export,
    &command_history_prove,
    &command_history_verify_proof,
    &command_history_erase,
    &command_history_prune,
    &command_history_resign,
    &command_history_end,
    NULL,
};
