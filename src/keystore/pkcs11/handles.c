#include "keystore/pkcs11/handles.h"

#include <stdlib.h>
#include <string.h>

void handles_init(struct handles *handles)
{
    *handles = (struct handles){ .list = NULL };
    pthread_mutex_init(&handles->lock, NULL);
}

void handles_free(struct handles *handles)
{
    pthread_mutex_destroy(&handles->lock);
    free(handles->list);
}

/* ---- with the lock held ---- */

static struct handle *find(const struct handles *handles, CK_SESSION_HANDLE value)
{
    for (size_t i = 0; i < handles->count; i++)
        if (handles->list[i].value == value)
            return &handles->list[i];
    return NULL;
}

static bool make_room(struct handles *handles)
{
    size_t room = handles->room ? handles->room * 2 : 8;
    struct handle *grown;

    if (handles->count < handles->room)
        return true;
    if (!(grown = calloc(room, sizeof *grown)))
        return false;
    if (handles->count)
        memcpy(grown, handles->list, handles->count * sizeof *grown);
    free(handles->list);
    handles->list = grown;
    handles->room = room;
    return true;
}

static enum handle_is add(struct handles *handles, CK_SESSION_HANDLE value)
{
    struct handle *known = find(handles, value);

    if (known) {
        known->again = true;
        return known->closing ? HANDLE_CLOSING : HANDLE_KNOWN;
    }
    if (!make_room(handles))
        return HANDLE_LOST;
    handles->list[handles->count++] = (struct handle){ .value = value };
    return HANDLE_NEW;
}

static void take_out(struct handles *handles, struct handle *handle)
{
    *handle = handles->list[--handles->count];
}

/* ---- */

enum handle_is handles_add(struct handles *handles, CK_SESSION_HANDLE value)
{
    enum handle_is is;

    pthread_mutex_lock(&handles->lock);
    is = add(handles, value);
    pthread_mutex_unlock(&handles->lock);
    return is;
}

void handles_close(struct handles *handles, CK_SESSION_HANDLE value)
{
    struct handle *handle;

    pthread_mutex_lock(&handles->lock);
    if ((handle = find(handles, value))) {
        handle->closing = true;
        handle->again = false;
    }
    pthread_mutex_unlock(&handles->lock);
}

bool handles_closed(struct handles *handles, CK_SESSION_HANDLE value)
{
    struct handle *handle;
    bool again;

    pthread_mutex_lock(&handles->lock);
    handle = find(handles, value);
    again = handle && handle->again;
    if (again)
        handle->again = false;
    else if (handle)
        take_out(handles, handle);
    pthread_mutex_unlock(&handles->lock);
    return again;
}

void handles_drop(struct handles *handles, CK_SESSION_HANDLE value)
{
    struct handle *handle;

    pthread_mutex_lock(&handles->lock);
    if ((handle = find(handles, value)))
        take_out(handles, handle);
    pthread_mutex_unlock(&handles->lock);
}
