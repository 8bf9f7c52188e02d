#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every header compiles alone and twice; the public ones as C++ too.  Alone: the build sees to that where X.c begins with X.h.
set -eu
cd "${top_srcdir:?}"
failed=0

# guarded FILE: all of it is between #ifndef and #endif
guarded() {
    awk '/^#/ { n++ } n == 1 && /^#/ && !/^#ifndef [A-Z0-9_]+$/ { exit bad = 1 } n == 1 { name = $2 }
        n == 2 && /^#/ && $0 != "#define " name { exit bad = 1 } NF { last = $0 } END { exit bad || last != "#endif" }' "$1"
}
begins_with() { # FILE HEADER
    [ -e "$1" ] && [ "$(grep -m 1 '^#include' "$1")" = "#include \"$2\"" ]
}
for header in $(find src tests -name '*.h' | sort); do
    name=${header#src/}
    guarded "$header" || {
        echo "$header is not all between #ifndef, #define and #endif"
        failed=1
    }
    begins_with "${header%.h}.c" "$name" && continue
    # shellcheck disable=SC2086 # flags
    if ! printf '#include "%s"\n#include "%s"\n' "$name" "$name" |
        ${CC:-cc} -std=gnu11 ${lint_cflags-} -Werror -I. -Isrc -fsyntax-only -x c -; then
        echo "$header does not compile alone"
        failed=1
    fi
done

if command -v "${CXX:-g++}" >/dev/null; then
    ${CXX:-g++} -std=c++11 -Wall -Wextra -Werror -Isrc -fsyntax-only -x c++ - <<-'PROGRAM' || failed=1
	#include "signengine-history.h"
	#include "signengine-mail.h"
	int main()
	{
	    se_error error = SE_ERROR_INIT;
	    se_buf buf = SE_BUF_INIT;
	    se_options options = SE_OPTIONS_INIT;
	    se_sign_params sign = SE_SIGN_PARAMS_INIT;
	    se_verify_params verify = SE_VERIFY_PARAMS_INIT;
	    se_check_options check = SE_CHECK_OPTIONS_INIT;
	    se_field_params field = SE_FIELD_PARAMS_INIT;
	    se_container_params container = SE_CONTAINER_PARAMS_INIT;
	    se_zip_sign_params zip = SE_ZIP_SIGN_PARAMS_INIT;
	    se_zip_verify_params jar = SE_ZIP_VERIFY_PARAMS_INIT;
	    se_caller caller = SE_CALLER_INIT;
	    se_use use = SE_USE_INIT;
	    se_history_options history = SE_HISTORY_OPTIONS_INIT;
	    se_mail_sign_params mail = SE_MAIL_SIGN_PARAMS_INIT;
	    se_mail_verify_params letter = SE_MAIL_VERIFY_PARAMS_INIT;
	    return int(error.status) + int(buf.size) + int(options.size + sign.size + verify.size + check.size + field.size + container.size + zip.size + jar.size + caller.size + use.size + history.size + mail.size + letter.size);
	}
	PROGRAM
else
    echo "no C++ compiler: the public headers were not tried as C++"
fi
exit "$failed"
