#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# curl, as the daemon's tests have it first in their path (openapi-lib.sh): does what $CURL does, and keeps what was answered in
# $ANSWERS_FOLDER, for answers.mjs.
kept=$ANSWERS_FOLDER/.$$
mkdir "$kept"
method='' target='' head='' body='' left=$#
while [ "$left" -gt 0 ]; do
    word=$1 value=${2-} taken=1
    shift
    case $word in
    -D) head=$value taken=2 ;;
    -o) body=$value taken=2 ;;
    -X) method=$value ;;
    -d | --data*) method=${method:-POST} ;;
    http*://*) target=/${word#*//*/} ;;
    esac
    left=$((left - taken))
    if [ "$taken" = 2 ]; then shift; else set -- "$@" "$word"; fi
done

status=0
"$CURL" "$@" -D "$kept/head" -o "$kept/body" >"$kept/rest" || status=$?
[ ! -e "$kept/head" ] || [ ! "$head" ] || cp "$kept/head" "$head"
if [ "$body" ]; then
    [ ! -e "$kept/body" ] || cp "$kept/body" "$body"
else
    cat "$kept/body" 2>/dev/null
fi
cat "$kept/rest"

# with --fail the body of a failure is thrown away
if [ -s "$kept/body" ] || { [ "$method" = HEAD ] && [ -s "$kept/head" ]; }; then
    [ -e "$kept/body" ] || : >"$kept/body"
    {
        printf '%s %s %s\n' "${method:-GET}" "$target" $(($(stat -c %s "$kept/head") + $(stat -c %s "$kept/body")))
        cat "$kept/head" "$kept/body"
    } >"$kept/answer"
    mv "$kept/answer" "$ANSWERS_FOLDER/curl-$$.answers"
fi
rm -r "$kept"
exit "$status"
