#include "store/pkcs11/sigpipe.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>

static _Thread_local unsigned depth;
static _Thread_local bool was_blocked; /* by the application: what is pending may be its own */

static sigset_t only_sigpipe(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    return set;
}

void sigpipe_hold(void)
{
    const sigset_t set = only_sigpipe();
    sigset_t before;

    if (depth++)
        return;
    pthread_sigmask(SIG_BLOCK, &set, &before);
    was_blocked = sigismember(&before, SIGPIPE);
}

/* A write to a broken pipe sends the signal to the thread that wrote, so it is pending here. */
void sigpipe_release(void)
{
    const sigset_t set = only_sigpipe();
    int kept = errno;

    if (--depth || was_blocked)
        return;
    while (sigtimedwait(&set, NULL, &(struct timespec){ 0, 0 }) < 0 && errno == EINTR)
        ;
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    errno = kept;
}
