/* signengine-mail: only it loads GMime. */
#include "cli/commands.h"

const struct command *const commands[] = {
    &command_help, &command_version, &command_mail_sign, &command_mail_verify, NULL,
};
