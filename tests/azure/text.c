/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/azure/emulator.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void *allocate(size_t size)
{
    void *memory = calloc(1, size ? size : 1);
    if (!memory)
        abort();
    return memory;
}

char *text_copy(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(allocate(size), text, size);
}

static char *format_list(const char *format, va_list list) __attribute__((format(printf, 1, 0)));
static char *format_list(const char *format, va_list list)
{
    char *text = NULL;
    if (vasprintf(&text, format, list) < 0)
        abort();
    return text;
}

char *text_format(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    char *text = format_list(format, list);
    va_end(list);
    return text;
}

bool text_ends(const char *text, const char *end)
{
    size_t a = strlen(text), b = strlen(end);
    return a >= b && strcasecmp(text + a - b, end) == 0;
}

void buffer_add(struct buffer *b, const void *data, size_t size)
{
    if (b->size + size + 1 > b->room) {
        size_t room = 2 * (b->size + size + 256);
        char *larger = allocate(room);
        if (b->size)
            memcpy(larger, b->data, b->size);
        free(b->data);
        b->data = larger;
        b->room = room;
    }
    if (size)
        memcpy(b->data + b->size, data, size);
    b->size += size;
    b->data[b->size] = 0;
}

void buffer_format(struct buffer *b, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    char *text = format_list(format, list);
    va_end(list);
    buffer_add(b, text, strlen(text));
    free(text);
}

/* ---- base64 ---- */

char *base64_encode(const unsigned char *data, size_t size)
{
    char *out = allocate((size + 2) / 3 * 4 + 1);
    EVP_EncodeBlock((unsigned char *)out, data, (int)size);
    return out;
}

char *base64url_encode(const unsigned char *data, size_t size)
{
    char *out = base64_encode(data, size);
    for (char *p = out; *p; p++) {
        if (*p == '+')
            *p = '-';
        else if (*p == '/')
            *p = '_';
        else if (*p == '=')
            *p = 0;
    }
    return out;
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

/* Both alphabets, with or without padding, and line ends within: the services take all of that. */
unsigned char *base64_decode(size_t *size, const char *text)
{
    unsigned char *out = allocate(strlen(text) + 1);
    unsigned bits = 0, count = 0;
    *size = 0;
    for (; *text && *text != '='; text++) {
        int digit = base64_digit(*text);
        if (digit < 0 && (*text == '\n' || *text == '\r'))
            continue;
        if (digit < 0) {
            free(out);
            return NULL;
        }
        bits = bits << 6 | (unsigned)digit;
        count += 6;
        if (count >= 8) {
            count -= 8;
            out[(*size)++] = (unsigned char)(bits >> count);
        }
    }
    return out;
}

unsigned char *base64url_decode(size_t *size, const char *text)
{
    return base64_decode(size, text);
}

/* ---- URLs and forms ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *url_decode(const char *text, size_t size, bool plus)
{
    char *out = allocate(size + 1), *end = out;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '%' && i + 2 < size && hex_digit(text[i + 1]) >= 0 &&
            hex_digit(text[i + 2]) >= 0) {
            *end++ = (char)(hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2]));
            i += 2;
        } else {
            *end++ = plus && text[i] == '+' ? ' ' : text[i];
        }
    }
    *end = 0;
    return out;
}

/* Names are decoded too: Microsoft's client for JavaScript writes api%2Dversion. */
char *form_value(const char *form, const char *name)
{
    while (form && *form) {
        size_t size = strcspn(form, "&"), head = 0;
        while (head < size && form[head] != '=')
            head++;
        char *found = url_decode(form, head, true);
        bool same = strcmp(found, name) == 0;
        free(found);
        if (same)
            return head < size ? url_decode(form + head + 1, size - head - 1, true) : text_copy("");
        form += size;
        form += *form == '&';
    }
    return NULL;
}

/* ---- random names ---- */

void hex_random(char *out, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        unsigned char byte;
        if (RAND_bytes(&byte, 1) != 1)
            abort();
        snprintf(out + 2 * i, 3, "%02x", byte);
    }
}

void guid_random(char out[37])
{
    char hex[33];
    hex_random(hex, 16);
    hex[12] = '4';
    snprintf(out, 37, "%.8s-%.4s-%.4s-a%.3s-%.12s", hex, hex + 8, hex + 12, hex + 17, hex + 20);
}

bool guid_valid(const char *text)
{
    for (int i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : hex_digit(text[i]) < 0)
            return false;
    }
    return !text[36];
}

/* ---- files, time ---- */

char *file_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    struct buffer content = { 0 };
    char block[4096];
    size_t got;
    buffer_add(&content, "", 0);
    while ((got = fread(block, 1, sizeof block, file)) > 0)
        buffer_add(&content, block, got);
    fclose(file);
    if (size)
        *size = content.size;
    return content.data;
}

/* Readers see the whole file or none. */
bool file_write(const char *path, const void *data, size_t size)
{
    char *partial = text_format("%s.partial", path);
    FILE *file = fopen(partial, "wb");
    bool written = file && fwrite(data, 1, size, file) == size;
    written = file && fclose(file) == 0 && written && rename(partial, path) == 0;
    free(partial);
    return written;
}

int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_seconds(void)
{
    return time(NULL);
}

json_t *json_time(int64_t seconds)
{
    return json_integer((json_int_t)seconds);
}

/* Members in the order that the service has; others after them. */
void json_reorder(json_t *object, const char *names)
{
    json_t *rest = json_copy(object);
    char *copy = text_copy(names), *next = copy, *name;
    if (json_is_object(object)) {
        json_object_clear(object);
        while ((name = strsep(&next, " ")))
            if (json_object_get(rest, name))
                json_object_set(object, name, json_object_get(rest, name));
        json_object_update_missing(object, rest);
    }
    free(copy);
    json_decref(rest);
}
