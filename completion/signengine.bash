# SPDX-License-Identifier: Apache-2.0
# bash, with or without bash-completion: `signengine __complete` knows what the word before the cursor may become.
_signengine() {
    local line=${COMP_LINE:0:COMP_POINT} breaks=${COMP_WORDBREAKS//[!:=]/} words=() word row cut=
    # bash takes ':' and '=' for words of their own: what stands without a blank between is one word
    for word in "${COMP_WORDS[@]:0:COMP_CWORD}" ''; do
        [[ $line == [[:blank:]]* || ${#words[@]} == 0 ]] && words+=('')
        line=${line#"${line%%[![:blank:]]*}"}
        words[-1]+=${word:-$line}
        line=${line#"$word"}
    done
    word=${words[-1]} words=("${words[@]/#\~\//$HOME/}")
    # and replaces what follows the last of them only
    [[ $breaks ]] && cut=${word%"${word##*["$breaks"]}"}
    COMPREPLY=()
    while IFS= read -r row; do
        [[ $row == $'\001'* ]] && compopt -o default && continue
        printf -v row %q "${row%%$'\t'*}"
        COMPREPLY+=("${row#"$cut"}")
    done < <(command signengine __complete "${words[@]:1}" 2>/dev/null)
}
complete -F _signengine signengine
