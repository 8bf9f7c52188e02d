#!/bin/sh
# Every header compiles alone and twice; the public one as C++ too.
set -eu
cd "${top_srcdir:?}"
failed=0

for header in $(find src tests -name '*.h' | sort); do
    # shellcheck disable=SC2086 # flags
    if ! printf '#include "%s"\n#include "%s"\n' "${header#src/}" "${header#src/}" |
        ${CC:-cc} -std=gnu11 ${lint_cflags-} -Werror -I. -Isrc -fsyntax-only -x c -; then
        echo "$header does not compile alone"
        failed=1
    fi
done

if command -v "${CXX:-g++}" >/dev/null; then
    ${CXX:-g++} -std=c++11 -Wall -Wextra -Werror -Isrc -fsyntax-only -x c++ - <<-'PROGRAM' || failed=1
	#include "signengine.h"
	int main()
	{
	    se_error error = SE_ERROR_INIT;
	    se_buf buf = SE_BUF_INIT;
	    se_options options = SE_OPTIONS_INIT;
	    se_params params = SE_PARAMS_INIT;
	    se_check_options check = SE_CHECK_OPTIONS_INIT;
	    return int(error.status) + int(buf.size) + int(options.size + params.size + check.size);
	}
	PROGRAM
else
    echo "no C++ compiler: signengine.h was not tried as C++"
fi
exit "$failed"
