# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154 # of harness.sh, and for it
# npm.sh, after harness.sh: what a folder's package.json names, installed once into a folder of that name in $SIGNENGINE_NPM, or where
# other things are that tests fetch.
#
#   npm_packages FOLDER    of tests/; sets $npm_modules, the folder of the modules; skips the test without npm or its registry
#   npm_install FOLDER     the same, and where that skips, it is false and says why in $npm_missing

npm_install() {
    npm_missing='npm is not installed'
    command -v npm >/dev/null && command -v node >/dev/null || return 1
    package=$top_srcdir/tests/$1
    cache=${SIGNENGINE_NPM:-${top_builddir:?}/tests/lib/sources/npm}/$1
    npm_modules=$cache/node_modules
    mkdir -p "$cache"
    fetch_packages && return 0
    npm_missing="npm installs nothing: $(grep -m 1 -E 'npm (ERR!|error)' "$cache/log")"
    return 1
}

# One test at a time; without its registry npm takes long to say so, and many tests would ask.
fetch_packages() (
    flock 9
    cmp -s "$package/package.json" "$cache/installed" && exit 0
    [ ! "$(find "$cache/failed" -mmin -10 2>/dev/null)" ] || exit 1
    cp "$package/package.json" "$cache/package.json"
    how=install
    [ ! -e "$package/package-lock.json" ] || {
        cp "$package/package-lock.json" "$cache/package-lock.json"
        how=ci
    }
    cd "$cache" || exit 1
    : >failed
    timeout 200 npm "$how" --no-audit --no-fund --ignore-scripts >log 2>&1 || exit 1
    rm failed
    cp package.json installed
) 9>"$cache/lock"

npm_packages() {
    npm_install "$1" || skip "$npm_missing"
}
