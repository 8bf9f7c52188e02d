#!/bin/sh
# "make install" into a folder of its own; a program built against what is there, by pkg-config alone, works.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs pkg-config

unset MAKEFLAGS MAKELEVEL MFLAGS
setup make -C "${top_builddir:?}" install DESTDIR="$tmp/root"
prefix=$(sed -n 's/^prefix = //p' "$top_builddir/Makefile")
root=$tmp/root$prefix

accepts find "$root" -type f -o -type l
says /bin/signengine
says /include/signengine.h
says /lib/libsignengine.so.0
says /lib/pkgconfig/signengine.pc
says_not libse-core

export PKG_CONFIG_SYSROOT_DIR="$tmp/root" PKG_CONFIG_PATH="$root/lib/pkgconfig" LD_LIBRARY_PATH="$root/lib"

cat >program.c <<'PROGRAM'
#include <signengine.h>
#include <stdio.h>

int main(void)
{
    se_engine *engine = NULL;
    se_error error = SE_ERROR_INIT;
    se_status status = se_open(&engine, "no-such-file.xml", NULL, &error);

    puts(error.text);
    if (!status || engine)
        return 1;
    /* by GMime, which the library loads */
    error = (se_error)SE_ERROR_INIT;
    se_buf address = SE_BUF_INIT;
    if (se_mail_address(&address, "Alice <alice@example.org>", &error))
        return puts(error.text), 2;
    puts((const char *)address.data);
    se_buf_free(&address);
    return 0;
}
PROGRAM
# shellcheck disable=SC2046,SC2086 # flags are words
accepts ${CC:-cc} ${sanitize-} -Wall -Wextra -Werror -o program program.c $(pkg-config --cflags --libs signengine)
accepts ./program
says no-such-file.xml
says alice@example.org

accepts "$root/bin/signengine" --version
says signengine
setup make -C "$top_builddir" uninstall DESTDIR="$tmp/root"
accepts find "$root" -type f -o -type l
says_not signengine
