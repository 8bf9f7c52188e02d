/* One message between the MTA and the engine. */
#ifndef MILTER_LETTER_H
#define MILTER_LETTER_H

#include <libmilter/mfapi.h>

#include "milter/service.h"
#include "milter/spool.h"

struct name_count {
    char name[40]; /* of a field that begins with "Content-" */
    int count;
};

struct letter {
    struct setup *setup;
    char *envelope; /* its sender, in small letters, without brackets; "" for a bounce */
    struct writer header;
    char *from; /* the value of the From field */
    bool list, mime;
    struct name_count content[16];
    size_t content_count;
    struct spool body, out;
    se_error error;
};

void letter_free(struct letter *letter);

/* A field as the MTA hands it over; false: out of memory, or more than anybody needs. */
bool letter_field(struct letter *letter, const char *name, const char *value);

/* Signs; *told as se_mail_sign() does. */
SE_MUST_CHECK se_status letter_sign(se_mail *told, struct letter *letter, const struct rule *rule, se_error *err);

/* Gives what was signed back to the MTA in place of what it has; false: it would not take it. */
bool letter_replace(struct letter *letter, SMFICTX *ctx);

/* The address of the From field, in small letters, into `out`; false: there is none, or more than one. */
bool letter_from(char out[320], const struct letter *letter);

#endif
