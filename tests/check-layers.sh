#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A folder is a layer: it includes itself, the folders named here behind it, and the foreign libraries that are its own.
set -eu
cd "${top_srcdir:?}/src"

find . -name '*.[ch]' | sort | sed 's:^\./::' | xargs awk '
function layer(folder, uses) { allowed[folder] = " " folder " " uses " " }
function library(header, folders) { owner[header] = " " folders " " }

BEGIN {
    layer("base",      "")
    layer("config",    "base")
    layer("crypto",    "base config")
    layer("libcurl",   "base")
    layer("keystore",  "base config crypto libcurl")
    layer("cms",       "base config crypto")
    layer("xmldsig",   "base config crypto")
    layer("fields",    "base config crypto")
    layer("jose",      "base config crypto")
    layer("evidence",  "base config crypto cms")
    layer("engine",    "base config crypto keystore cms xmldsig fields jose evidence")
    layer("zip",       "base")
    layer("history",   "base")
    layer("mail",      "base")
    layer("provision", "base config crypto keystore")
    layer("audit",     "base")
    layer("client",    "base libcurl")
    layer("cli",       "base audit client")
    layer("daemon",    "base audit")
    layer("milter",    "base audit")
    also["cli", "config/pin_source.h"]
    also["cli", "provision/key_backup.h"]
    also["cli", "provision/provision.h"]
    also["cli", "provision/vault_admin.h"]
    also["zip", "engine/event.h"] # a zip is one operation

    library("openssl", "config crypto keystore cms xmldsig fields jose evidence engine zip history provision client daemon")
    # config reads configurations, xmldsig signs documents; neither shows a tree to the layers above
    library("libxml",  "config xmldsig")
    # config reads PKCS #11 URIs with its parser
    library("p11-kit", "config keystore/pkcs11 provision")
    library("libp11.h", "provision")
    library("libgfshare.h", "provision/backup")
    library("jansson.h", "fields jose keystore/azure provision client cli milter")
    library("curl", "libcurl keystore/azure client")
    library("zlib.h", "zip")
    library("unicase.h", "zip")
    library("unictype.h", "zip")
    library("uninorm.h", "zip keystore/pkcs11")
    library("sqlite3.h", "history")
    library("libpq-fe.h", "history")
    library("gmime", "mail")
    library("libmilter", "milter")
    library("microhttpd.h", "daemon")
    library("gnutls", "daemon")
    library("yajl", "daemon")

    count = split("assert ctype dirent dlfcn endian errno fcntl getopt glob grp iconv inttypes libgen limits link locale malloc netdb poll pthread pwd sched search" \
        " semaphore signal spawn stdarg stdatomic stdbool stddef stdint stdio stdlib string strings syslog termios threads time unistd wchar wctype", libc)
    for (i = 1; i <= count; i++)
        owner[libc[i] ".h"] = "libc"
    owner["sys"] = "libc"
    owner["arpa"] = "libc"
    owner["netinet"] = "libc"
    owner["linux"] = "libc" # numbers of the kernel
}

function bad(why) { print "src/" FILENAME ":" FNR ": " why; failed = 1 }

function within(list, folder,   parent) {
    parent = folder
    sub("/.*", "", parent)
    return list == "libc" || index(list, " " folder " ") || index(list, " " parent " ")
}

FNR == 1 {
    files++
    folder = FILENAME
    if (!sub("/[^/]*$", "", folder))
        folder = ""
    top = folder
    sub("/.*", "", top)
    if (folder != "" && !(top in allowed))
        bad("folder " top " is no layer")
}

/^[ \t]*#[ \t]*include/ {
    includes++
    name = $0
    sub("^[ \t]*#[ \t]*include[ \t]*", "", name)
    quoted = substr(name, 1, 1) == "\""
    sub("^[<\"]", "", name)
    sub("[>\"].*", "", name)
    first = name
    sub("/.*", "", first)
    if (name ~ /^signengine(-history|-mail)?\.h$/)
        next
    if (quoted && !((top, name) in also) && (first == name || !index(allowed[top], " " first " ")))
        bad("src/" top " may not include \"" name "\"")
    if (!quoted && !(first in owner))
        bad("<" name "> belongs to no library that check-layers.sh knows")
    else if (!quoted && !within(owner[first], folder))
        bad("<" name "> is not for src/" folder)
}

END {
    print files " files, " includes " includes"
    exit failed || includes == 0
}'
