#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# packages.sh LIST...: installs the Debian packages of these lists, as far as they are missing.
set -eu

wanted=$(sed 's/#.*//' "$@")
missing=
for package in $wanted; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done
[ "$missing" ] || exit 0

say() { echo "packages: $*" >&2; }

command -v apt-get >/dev/null || { say "no apt-get here: please install$missing"; exit 1; }
as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { say "not root, and no sudo here: please install$missing"; exit 1; }
    as_root='sudo -n'
    $as_root true 2>/dev/null || as_root=sudo
fi

say "installing$missing"
$as_root apt-get update -qq </dev/null >&2 || say "apt-get update failed; trying with the lists that are here"
# shellcheck disable=SC2086 # a list of words
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing </dev/null >&2
