/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Latency, and the services' limits: Key Vault's weighted sum over 10 seconds, a Managed HSM's
 * operations per second and partition. What was refused does not count.
 */
#include "tests/azure/emulator.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 100

static struct {
    pthread_mutex_t lock;
    bool on;
    double hsm_other, soft_other, hsm_create, soft_create; /* Key Vault: in 10 s, RSA-2048 and EC */
    double partitions, scale;                              /* Managed HSM */
    double used[SLOTS];                                    /* of 1, in the slots of the window */
    int64_t slot;
} bucket = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct {
    pthread_mutex_t lock;
    double low, high;
} latency = { .lock = PTHREAD_MUTEX_INITIALIZER };

char *throttle_set(int count, char **words)
{
    double numbers[4] = { 2000, 4000, 10, 20 };
    bool on = count > 0 && strcmp(words[0], "off") != 0;
    if (count < 1 || count > 5)
        return text_copy("capacity off|on [NUMBER...]");
    if (settings.hsm) {
        numbers[0] = 3;
        numbers[1] = 1;
    }
    for (int i = 1; i < count; i++)
        numbers[i - 1] = atof(words[i]);
    pthread_mutex_lock(&bucket.lock);
    bucket.on = on;
    memset(bucket.used, 0, sizeof bucket.used);
    if (settings.hsm) {
        bucket.partitions = numbers[0];
        bucket.scale = numbers[1];
    } else {
        bucket.hsm_other = numbers[0];
        bucket.soft_other = numbers[1];
        bucket.hsm_create = numbers[2];
        bucket.soft_create = numbers[3];
    }
    pthread_mutex_unlock(&bucket.lock);
    return NULL;
}

static double vault_cost(const char *operation, const char *kty, int bits)
{
    bool hsm = kty && text_ends(kty, "-HSM"), create = strcmp(operation, "create") == 0;
    double weight = bits >= 4096 && !create ? 8 : bits >= 3072 && !create ? 4 : 1;
    double limit = create ? (hsm ? bucket.hsm_create : bucket.soft_create)
                          : (hsm ? bucket.hsm_other : bucket.soft_other);
    return weight / limit;
}

static double hsm_rate(const char *operation, const char *kty, int bits, const char *crv)
{
    bool ec = kty && strncmp(kty, "EC", 2) == 0;
    if (strcmp(operation, "sign") == 0 && ec)
        return strcmp(crv, "P-384") == 0 ? 160 : strcmp(crv, "P-521") == 0 ? 200 : 330;
    if (strcmp(operation, "sign") == 0)
        return bits >= 4096 ? 150 : bits >= 3072 ? 340 : 900;
    if (strcmp(operation, "decrypt") == 0 || strcmp(operation, "unwrapkey") == 0)
        return bits >= 4096 ? 160 : bits >= 3072 ? 360 : 1100;
    if (strcmp(operation, "create") == 0)
        return 1;
    return strcmp(operation, "delete") == 0 || strcmp(operation, "backup") == 0 ? 10 : 1100;
}

bool throttle_allows(const char *operation, const char *kty, int bits, const char *crv)
{
    pthread_mutex_lock(&bucket.lock);
    bool allowed = true;
    if (bucket.on) {
        int64_t slot = clock_ms() / (settings.hsm ? 10 : 100),
                from = slot - bucket.slot > SLOTS ? slot - SLOTS : bucket.slot;
        double cost =
            settings.hsm
                ? 1 / (hsm_rate(operation, kty, bits, crv) * bucket.partitions * bucket.scale)
                : vault_cost(operation, kty, bits);
        double sum = 0;
        while (from < slot)
            bucket.used[++from % SLOTS] = 0;
        bucket.slot = slot;
        for (int i = 0; i < SLOTS; i++)
            sum += bucket.used[i];
        allowed = sum + cost <= 1 + 1e-9;
        if (allowed)
            bucket.used[slot % SLOTS] += cost;
    }
    pthread_mutex_unlock(&bucket.lock);
    return allowed;
}

void latency_set(double low, double high)
{
    pthread_mutex_lock(&latency.lock);
    latency.low = low;
    latency.high = high < low ? low : high;
    pthread_mutex_unlock(&latency.lock);
}

void latency_wait(void)
{
    unsigned random = 0;
    pthread_mutex_lock(&latency.lock);
    double low = latency.low, high = latency.high;
    pthread_mutex_unlock(&latency.lock);
    if (high <= 0)
        return;
    RAND_bytes((unsigned char *)&random, sizeof random);
    server_wait(low + (high - low) * random / 4294967295.0);
}
