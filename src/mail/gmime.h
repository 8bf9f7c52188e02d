/* GMime, loaded when there is mail. */
#ifndef MAIL_GMIME_H
#define MAIL_GMIME_H

#include <gmime/gmime.h>

#include "base/error.h"

#define GMIME_FUNCTIONS(F)                                                                                                                 \
    F(g_free)                                                                                                                              \
    F(g_mime_content_type_get_mime_type)                                                                                                   \
    F(g_mime_content_type_get_parameter)                                                                                                   \
    F(g_mime_content_type_parse)                                                                                                           \
    F(g_mime_init)                                                                                                                         \
    F(g_mime_utils_header_decode_text)                                                                                                     \
    F(g_object_unref)                                                                                                                      \
    F(g_type_check_instance_is_a)                                                                                                          \
    F(internet_address_group_get_members)                                                                                                  \
    F(internet_address_group_get_type)                                                                                                     \
    F(internet_address_list_get_address)                                                                                                   \
    F(internet_address_list_length)                                                                                                        \
    F(internet_address_list_parse)                                                                                                         \
    F(internet_address_mailbox_get_idn_addr)

struct gmime {
#define FIELD(function) __typeof__(&function) function;
    GMIME_FUNCTIONS(FIELD)
#undef FIELD
};

/* Its functions, after gmime_load().  GLib makes macros of some: (gmime.g_free)(). */
extern struct gmime gmime;

/* Once for all, from any thread.  SE_ERR_UNAVAILABLE: it is not installed. */
SE_MUST_CHECK se_status gmime_load(se_error *err);

#endif
