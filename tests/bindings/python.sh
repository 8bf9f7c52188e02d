#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# python/signengine.py, as an application has it after `pip install`: it declares what the headers declare, does both ways what the command
# and others do, refuses what they refuse, and lives with threads, forks and forgotten objects.  CALLS=10000000 looks longer at its memory.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3
[ ! "${MEMCHECK-}" ] || skip "valgrind would look at Python"
umask 077

export PYTHONDONTWRITEBYTECODE=1 LD_LIBRARY_PATH="${top_builddir:?}/.libs"
calls=20000
loaded=''
case ${sanitize-} in
*address*)
    # the sanitizer has to be loaded before all else; what an interpreter holds at its end is no leak of ours
    loaded=$(${CC:-cc} -print-file-name=libasan.so)
    ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0"
    export PYTHONMALLOC=malloc
    ;;
*thread*) skip "Python is not built for the thread sanitizer" ;;
esac
! instrumented || calls=2000
python() { LD_PRELOAD="$loaded" python3 "$@"; }

# ---- installed ----
if python3 -c 'import setuptools, pip' 2>/dev/null; then
    cp -r "$top_srcdir/python" tree
    chmod -R u+w tree
    accepts python3 -m pip install -q --no-build-isolation --no-deps --no-index --target site ./tree
    accepts cmp site/signengine.py "$top_srcdir/python/signengine.py"
    accepts python3 -c 'import importlib.metadata as m; print(next(m.distributions(path=["site"])).version)'
    says "$(signengine version | sed -n 's/^signengine \([0-9.]*\).*/\1/p')"
    export PYTHONPATH="$tmp/site:$top_srcdir/tests/bindings"
else
    echo "SKIPPED: python3-pip and python3-setuptools are not installed: the file of the tree is tested"
    export PYTHONPATH="$top_srcdir/python:$top_srcdir/tests/bindings"
fi
if command -v mypy >/dev/null; then
    accepts mypy --strict --config-file "$top_srcdir/python/pyproject.toml" --cache-dir "$tmp/.mypy" "$top_srcdir/python/signengine.py"
    # types are there for those who use it
    cat >use.py <<-'PYTHON'
	import signengine
	with signengine.Engine("engine.xml") as engine:
	    engine.sign("Files", "text", form=signengine.Form.RAW)
	    engine.sign("Files", b"", colour="red")
	PYTHON
    MYPYPATH="$top_srcdir/python"
    export MYPYPATH
    others_refuse mypy --strict --config-file "$top_srcdir/python/pyproject.toml" --cache-dir "$tmp/.mypy" use.py
    says 'Argument 2 to "sign" of "Engine" has incompatible type "str"'
    says 'Unexpected keyword argument "colour" for "sign" of "Engine"'
else
    echo "SKIPPED: mypy is not installed: types were not checked"
fi

. "${top_srcdir:?}/tests/bindings/engines.sh"
export CALLS="${CALLS-$calls}"

# ---- the tests of each file; every method is a case ----
for file in layout vectors jobs refusals life; do
    accepts python -X faulthandler -m unittest -b "python_$file"
    ran=$(sed -n 's/^Ran \([0-9]*\) test.*/\1/p' "$err")
    cases=$((cases + ${ran:-1} - 1))
    sed -n '/^memory/p' "$out" "$err"
    [ "${ran:-0}" -gt 0 ] || fail "$file: nothing was run"
done

# ---- the README's example does what it says there ----
sed -n '/^```python/,/^```/p' "$top_srcdir/python/README.md" | sed '/^```/d' >example.py
echo content >report.pdf
accepts python example.py
accepts openssl cms -verify -binary -inform DER -in report.pdf.p7s -content report.pdf -CAfile ca.pem -purpose any -out verified
same verified report.pdf
