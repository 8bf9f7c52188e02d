#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# "make install" into a folder of its own; a program built against what is there, by pkg-config alone, works.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs pkg-config

unset MAKEFLAGS MAKELEVEL MFLAGS
setup make -C "${top_builddir:?}" install DESTDIR="$tmp/root"
prefix=$(sed -n 's/^prefix = //p' "$top_builddir/Makefile")
root=$tmp/root$prefix

accepts find "$root" -type f -o -type l
says /bin/signengine
says /libexec/signengine/signengine-history
says /libexec/signengine/signengine-mail
for part in '' -history -mail; do
    says /include/signengine$part.h
    says /lib/libsignengine$part.so.0
    says /lib/pkgconfig/signengine$part.pc
done
says_not libse-core
says /examples/signengine-check.service
says /examples/signengine-check.timer
says /examples/signengine.sysusers
says /examples/signengine.tmpfiles
# what was built is there, with what it needs to run
if [ -x "$top_builddir/signengined" ]; then
    says /sbin/signengined
    says /man8/signengined.8
    for example in signengined.conf signengined.service signengined.socket signengine.logrotate \
        signengine.rules.yml signengine.dashboard.json monitoring.md openapi.yaml; do
        says "/examples/$example"
    done
fi
for page in se_sign se_history_append se_mail_verify; do
    says /man3/$page.3
done
accepts cat "$root/share/man/man3/se_sign.3"
says '.so man3/libsignengine.3'

export PKG_CONFIG_SYSROOT_DIR="$tmp/root" PKG_CONFIG_PATH="$root/lib/pkgconfig" LD_LIBRARY_PATH="$root/lib"

cat >program.c <<'PROGRAM'
#include <signengine-history.h>
#include <signengine-mail.h>
#include <stdio.h>

int main(void)
{
    se_engine *engine = NULL;
    se_error error = SE_ERROR_INIT;
    se_status status = se_open(&engine, "no-such-file.xml", NULL, &error);

    puts(error.text);
    if (!status || engine)
        return 1;
    puts(se_finding_name(SE_FINDING_CHANGED));
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
accepts ${CC:-cc} ${sanitize-} -Wall -Wextra -Werror -o program program.c $(pkg-config --cflags --libs signengine-history signengine-mail)
accepts ./program
says no-such-file.xml
says changed
says alice@example.org

accepts "$root/bin/signengine" --version
says signengine
# programs of their own, found where they were installed
libexec=$(sed -n 's/^libexecdir = //p' "$top_builddir/Makefile")
accepts "$root/bin/signengine" help config show
says 'usage: signengine config show'
refuses 69 "$root/bin/signengine" history list --store sqlite:none.db
says "cannot run '$(echo "$libexec" | sed "s|\${exec_prefix}|$prefix|; s|\${prefix}|$prefix|")/signengine/signengine-history': No such file or directory"
setup make -C "$top_builddir" uninstall DESTDIR="$tmp/root"
accepts find "$root" -type f -o -type l
says_not signengine
