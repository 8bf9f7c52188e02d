#include "cms/sink_bio.h"

#include <pthread.h>

static BIO_METHOD *method;

static int bio_write(BIO *bio, const char *data, int size)
{
    const se_sink *sink = BIO_get_data(bio);

    return size > 0 && sink->write(sink->arg, data, (size_t)size) ? -1 : size;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

/* Made once and kept: BIO methods are meant to live as long as the process. */
static void make_method(void)
{
    BIO_METHOD *made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "se_sink");

    if (made && BIO_meth_set_write(made, bio_write) && BIO_meth_set_ctrl(made, bio_ctrl) &&
        BIO_meth_set_create(made, bio_create))
        method = made;
}

BIO *sink_bio_new(const se_sink *sink)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    BIO *bio;

    if (pthread_once(&once, make_method) || !method || !(bio = BIO_new(method)))
        return NULL;
    BIO_set_data(bio, (void *)sink);
    return bio;
}
