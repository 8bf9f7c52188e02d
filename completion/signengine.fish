# SPDX-License-Identifier: Apache-2.0
# fish: `signengine __complete` knows what the word before the cursor may become.
function __signengine_complete
    set -l words (commandline -opc)[2..-1] (commandline -ct)
    for row in (command signengine __complete (string replace -r -- '^~/' "$HOME/" $words) 2>/dev/null)
        if string match -q -- \x01'*' $row
            set -l before (string sub -s 2 -- $row)
            set -l file (string sub -s (math (string length -- $row)) -- $words[-1])
            string replace -r -- '^' $before (complete -C "'' $file")
        else
            echo $row
        end
    end
end
complete -c signengine -f -a '(__signengine_complete)'
