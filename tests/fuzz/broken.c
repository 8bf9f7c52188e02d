/* SPDX-License-Identifier: Apache-2.0 */
/* A target with faults, for the test of the driver. */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size && data[0] == 'k')
        (void)raise(SIGKILL);
    if (size && data[0] == 'x')
        exit(5);
    if (size && data[0] == 'h')
        sleep(20);
    return 0;
}
