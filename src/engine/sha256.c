#include <pthread.h>

#include "key/crypto.h"

/* One context for each thread: making one takes longer than hashing what is small. */
static pthread_key_t contexts;
static bool ready;

static void release(void *context)
{
    EVP_MD_CTX_free(context);
}

static void prepare(void)
{
    ready = !pthread_key_create(&contexts, release);
}

static EVP_MD_CTX *context_of_thread(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    EVP_MD_CTX *context;

    if (pthread_once(&once, prepare) || !ready)
        return NULL;
    if ((context = pthread_getspecific(contexts)))
        return context;
    if (!(context = EVP_MD_CTX_new()))
        return NULL;
    if (EVP_DigestInit_ex2(context, crypto_md(DIGEST_SHA256), NULL) > 0 && !pthread_setspecific(contexts, context))
        return context;
    EVP_MD_CTX_free(context);
    return NULL;
}

bool se_sha256(unsigned char out[32], const se_bytes *parts, size_t count)
{
    EVP_MD_CTX *context = context_of_thread();

    if (!context || EVP_DigestInit_ex2(context, NULL, NULL) <= 0)
        return false;
    for (size_t i = 0; i < count; i++)
        if (parts[i].size && EVP_DigestUpdate(context, parts[i].data, parts[i].size) <= 0)
            return false;
    return EVP_DigestFinal_ex(context, out, NULL) > 0;
}
