#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# debian/build-packages.sh FOLDER: the Debian packages of the commit that is checked out, with their source, in FOLDER.
# DEB_BUILD_OPTIONS counts: nocheck, parallel=2.  The packages that the build needs: apt-get build-dep .
set -eu

[ $# = 1 ] || { sed -n '3,/^set/s/^# //p' "$0" | sed '$d' >&2; exit 64; }
cd "$(dirname "$0")/.."
mkdir -p "$1"
folder=$(cd "$1" && pwd)
version=$(dpkg-parsechangelog -SVersion)
name=signengine-${version%-*}

[ ! -e "$folder/$name" ] || { echo "$folder/$name is there already" >&2; exit 73; }
git archive --prefix="$name/" HEAD | tar -x -C "$folder"
cd "$folder"
# the same bytes from the same commit
tar --sort=name --owner=0 --group=0 --numeric-owner --exclude="$name/debian" -c "$name" | xz -T1 >"signengine_${version%-*}.orig.tar.xz"
cd "$name"
exec dpkg-buildpackage -us -uc
