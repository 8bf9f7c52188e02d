#include "milter/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

static int to_file(struct spool *s)
{
    const char *folder = getenv("TMPDIR");

    s->fd = open(folder && *folder ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (s->fd < 0 || write_all(s->fd, s->memory.buf.data, s->memory.buf.size))
        return -1;
    writer_free(&s->memory);
    return 0;
}

int spool_write(struct spool *s, const void *data, size_t size)
{
    if (s->fd < 0 && s->memory.buf.size + size > SPOOL_MEMORY && to_file(s))
        return -1;
    if (s->fd >= 0)
        return write_all(s->fd, data, size);
    writer_put(&s->memory, data, size);
    errno = ENOMEM;
    return s->memory.failed ? -1 : 0;
}

int spool_rewind(struct spool *s)
{
    s->read = 0;
    return s->fd < 0 || lseek(s->fd, 0, SEEK_SET) == 0 ? 0 : -1;
}

ptrdiff_t spool_read(struct spool *s, void *data, size_t size)
{
    size_t left = s->memory.buf.size - s->read;

    if (s->fd >= 0)
        return read(s->fd, data, size);
    size = left < size ? left : size;
    if (size)
        memcpy(data, s->memory.buf.data + s->read, size);
    s->read += size;
    return (ptrdiff_t)size;
}

void spool_clear(struct spool *s)
{
    if (s->fd >= 0)
        close(s->fd);
    writer_free(&s->memory);
    *s = (struct spool)SPOOL_INIT;
}
