/*
 * p11-kit's client writes to sockets without MSG_NOSIGNAL: when its server is gone, SIGPIPE would end the process.  Between hold and
 * release, which nest, this thread gets none; the application's handling of the signal is not touched.
 */
#ifndef STORE_PKCS11_SIGPIPE_H
#define STORE_PKCS11_SIGPIPE_H

void sigpipe_hold(void);
void sigpipe_release(void);

#endif
