/* SPDX-License-Identifier: Apache-2.0 */
/* Scope cleanup: AUTO(kind) declares a variable that its destructor visits when the scope ends. */
#ifndef BASE_AUTO_H
#define BASE_AUTO_H

/* `release` is a statement that may use `p`, a pointer to the variable; it must accept an empty
 * one. */
#define AUTO_KIND(kind, type, release)                                                             \
    typedef type auto_##kind##_t;                                                                  \
    static inline void auto_##kind(type *p)                                                        \
    {                                                                                              \
        release;                                                                                   \
    }

#define AUTO(kind) __attribute__((cleanup(auto_##kind))) auto_##kind##_t

/* The value of a variable, which is left empty: ownership moves on, and the destructor finds
 * nothing. */
#define MOVE(variable)                                                                             \
    __extension__({                                                                                \
        __typeof__(variable) moved = (variable);                                                   \
        (variable) = (__typeof__(variable)){ 0 };                                                  \
        moved;                                                                                     \
    })

#endif
