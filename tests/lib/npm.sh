# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154 # of harness.sh, and for it
# npm.sh, after harness.sh: what a folder's package.json names, installed once into a folder of that name in $SIGNENGINE_NPM, or where
# other things are that tests fetch.
#
#   npm_packages FOLDER    of tests/; sets $npm_modules, the folder of the modules; skips the test without npm or its registry

npm_packages() {
    needs node npm
    package=$top_srcdir/tests/$1
    cache=${SIGNENGINE_NPM:-${top_builddir:?}/tests/lib/sources/npm}/$1
    npm_modules=$cache/node_modules
    mkdir -p "$cache"
    (
        flock 9
        cmp -s "$package/package.json" "$cache/installed" && exit 0
        cp "$package/package.json" "$cache/package.json"
        how=install
        [ ! -e "$package/package-lock.json" ] || {
            cp "$package/package-lock.json" "$cache/package-lock.json"
            how=ci
        }
        cd "$cache" && timeout 200 npm "$how" --no-audit --no-fund --ignore-scripts >"$cache/log" 2>&1 && cp package.json installed
    ) 9>"$cache/lock" || skip "npm installs nothing: $(grep -m 1 -E 'npm (ERR!|error)' "$cache/log")"
}
