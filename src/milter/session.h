/* What the MTA tells about one message after the other, and what it is told at the end of each. */
#ifndef MILTER_SESSION_H
#define MILTER_SESSION_H

struct smfiDesc;

/* The callbacks for libmilter. */
extern struct smfiDesc session_callbacks;

#endif
