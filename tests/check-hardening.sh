#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is built has what makes an error in memory harder to use: each flag that configure found leaves its mark in the ELF files.
set -eu
command -v readelf >/dev/null || { echo "readelf is not installed"; exit 77; }
failed=0 looked=0

# has FILE WHAT TEXT COMMAND...: what the command prints holds the text
has() {
    file=$1 what=$2 text=$3
    shift 3
    looked=$((looked + 1))
    "$@" "$file" 2>/dev/null | grep -q -e "$text" || {
        echo "$file: no $what"
        failed=1
    }
}

for file in "${top_builddir:?}/signengine" "$top_builddir/signengine-milter" "$top_builddir/.libs/libsignengine.so"; do
    [ -e "$file" ] || continue
    has "$file" "full RELRO" 'NOW' readelf -dW
    has "$file" "full RELRO" 'GNU_RELRO' readelf -lW
    has "$file" "position independence" 'Type: *DYN' readelf -hW
    has "$file" "stack that can't be executed" 'GNU_STACK.* RW ' readelf -lW
    case ${SE_HARDENING-} in *-fstack-protector-strong*) has "$file" "stack protector" '__stack_chk_fail' readelf --dyn-syms -W ;; esac
    case ${SE_HARDENING-} in *-fcf-protection*) has "$file" "shadow stack" 'SHSTK' readelf -nW ;; esac
    case ${SE_HARDENING-} in
    *FORTIFY_SOURCE=*) has "$file" "_FORTIFY_SOURCE" '__memcpy_chk\|__snprintf_chk\|__fprintf_chk\|__vsnprintf_chk' readelf --dyn-syms -W ;;
    esac
done
[ "$looked" -gt 0 ] || { echo "nothing was built"; exit 1; }

# what configure must have found where the compiler is new enough and works for x86-64
if ${CC:-cc} -dM -E - </dev/null | grep -q '__x86_64__' && { [ "$(${CC:-cc} -dumpversion | cut -d. -f1)" -ge 11 ]; }; then
    for flag in -fstack-protector-strong -fstack-clash-protection -fcf-protection; do
        case " ${SE_HARDENING-} " in
        *" $flag "*) ;;
        *)
            echo "configure did not find $flag"
            failed=1
            ;;
        esac
    done
fi
echo "$looked marks"
exit $failed
