# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154 # of harness.sh, and for it
# npm.sh, after harness.sh: what tests/azure/package.json names, installed once into $SIGNENGINE_NPM, or where other things are that tests fetch.
#
#   npm_packages    sets $npm_modules, the folder of the modules; skips the test without npm or its registry

npm_packages() {
    needs node npm
    cache=${SIGNENGINE_NPM:-${top_builddir:?}/tests/lib/sources/npm}
    npm_modules=$cache/node_modules
    mkdir -p "$cache"
    (
        flock 9
        cmp -s "$top_srcdir/tests/azure/package.json" "$cache/installed" && exit 0
        cp "$top_srcdir/tests/azure/package.json" "$cache/package.json"
        cd "$cache" && timeout 200 npm install --no-audit --no-fund --ignore-scripts >"$cache/log" 2>&1 && cp package.json installed
    ) 9>"$cache/lock" || skip "npm installs nothing: $(grep -m 1 -E 'npm (ERR!|error)' "$cache/log")"
}
