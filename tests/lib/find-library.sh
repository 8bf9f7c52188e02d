#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# find-library.sh NAME: prints the path of a PKCS #11 library, where distributions have them.  A search through all of /usr/lib takes
# half a second of each test.
for folder in /usr/lib /usr/lib64 /usr/local/lib; do
    for path in "$folder/$1" "$folder"/*/"$1" "$folder"/*/*/"$1"; do
        [ -f "$path" ] || continue
        echo "$path"
        exit 0
    done
done
