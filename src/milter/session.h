/* SPDX-License-Identifier: Apache-2.0 */
/* One connection of the MTA: its messages come in, and each gets an answer at its end. */
#ifndef MILTER_SESSION_H
#define MILTER_SESSION_H

struct smfiDesc;

/* The callbacks for libmilter. */
extern struct smfiDesc session_callbacks;

#endif
