#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# doc/pages/build.sh FOLDER: all pages as HTML, linked with each other, with an index: guides and formats by cmark-gfm, manual pages by
# mandoc, the picture of the layers by graphviz.
set -eu

[ $# = 1 ] || { sed -n '3,/^set/s/^# //p' "$0" | sed '$d' >&2; exit 64; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."

# page FILE TITLE: what is read, as a page
page() {
    cat <<-HTML
	<!DOCTYPE html>
	<html lang="en">
	<head>
	<meta charset="utf-8">
	<meta name="viewport" content="width=device-width, initial-scale=1">
	<title>$2</title>
	<link rel="stylesheet" href="page.css">
	</head>
	<body>
	<nav><a href="index.html">signengine</a> <a href="guide-administrator.html">administrators</a> <a href="guide-developer.html">developers</a>
	<a href="guide-operator.html">operators</a> <a href="guide-auditor.html">auditors</a> <a href="architecture.html">how it is built</a></nav>
	<main>
	$(cat)
	</main>
	</body>
	</html>
	HTML
} >"$out/$1"

# Links of the tree become links of the pages: a sample is its README, a manual page NAME.SECTION.html; a file that is no page is text.
link_pages() {
    sed -E '
        s#href="(\.\./)*(doc/)?([A-Za-z0-9_-]+\.[1-9])"#href="\3.html"#g
        s#href="(\.\./)*samples/?"#href="index.html"#g
        s#href="(\.\./)*samples/([a-z-]+)/?"#href="sample-\2.html"#g
        s#href="(\.\./)*(java|python)/README\.md"#href="\2.html"#g
        s#href="(\.\./)*(doc/)?([A-Za-z0-9_-]+)\.md(\#[a-z0-9-]*)?"#href="\3.html\4"#g
        s#(href|src)="(\.\./)*(doc/)?(speed[a-z-]*)\.(svg|json)"#\1="\4.\5"#g
        s#<a href="(\.\./)*(src/|conf/|LICENSE|NOTICE)[^"]*">([^<]*)</a>#\3#g
        s#<a href="[A-Za-z0-9_./-]*\.(h|c|sh|xml|yaml|cfg|conf)">([^<]*)</a>#\2#g'
}

title_of() { sed -n 's/^# //p' "$1" | head -n 1; }

convert() { # FILE.md PAGE
    cmark-gfm --unsafe --extension table "$1" |
        awk 'match($0, /^<h[1-3]>/) { # with an anchor as GitHub makes it
                id = tolower(substr($0, 5))
                gsub(/<[^>]*>|&[a-z]*;/, "", id)
                gsub(/[^a-z0-9 _-]/, "", id)
                gsub(/ /, "-", id)
                sub(/>/, " id=\"" id "\">") }
            { print }' |
        link_pages | if [ "${3-}" ]; then sed -e "/<!-- layers -->/{r $3" -e 'd}'; else cat; fi | page "$2" "$(title_of "$1")"
}

cp doc/pages/page.css doc/pages/find.js doc/speed-*.svg doc/speed.json "$out"
doc/pages/draw-layers.sh src | dot -Tsvg | sed -n '/<svg/,$p' | sed 's/stroke="black"/stroke="currentColor"/g; s/fill="black"/fill="currentColor"/g; s/<text /<text fill="currentColor" /' >"$out/layers.svg"
sed -i 's/<svg /<svg role="img" aria-label="the folders of src, and who calls whom" /' "$out/layers.svg"
for file in README.md CONTRIBUTING.md SECURITY.md doc/*.md; do
    convert "$file" "$(basename "$file" .md).html" "$out/layers.svg"
done
convert java/README.md java.html
convert python/README.md python.html
for file in samples/*/README.md; do
    convert "$file" "sample-$(basename "$(dirname "$file")").html"
done
rm "$out/layers.svg"
ours=$(printf '%s\n' doc/*.[1-9] | sed 's#doc/##' | paste -s -d '|' | sed 's/\./\\./g')
for file in doc/*.[1-9]; do
    name=$(basename "$file")
    mandoc -Thtml -O fragment,man=%N.%S.html "$file" |
        sed -E "s#href=\"(($ours)\.html)\"#HREF=\"\1\"#g; s#<a class=\"Xr\" href=\"[^\"]*\">([^<]*)</a>#\1#g; s#HREF=#href=#g" |
        page "$name.html" "$name"
done

# ---- the index ----
index_row() { # PAGE TITLE
    headings=$(sed -nE 's#.*<h2[^>]*>(.*)</h2>.*#\1#p' "$out/$1" | sed 's/<[^>]*>//g' | paste -s -d ';' | sed 's/;/; /g')
    echo "<li><a href=\"$1\">$2</a><small>$headings</small></li>"
}
{
    echo '<h1>signengine</h1>'
    echo '<p>Signs and encrypts with keys that live in an HSM or a vault, by the name of a job.</p>'
    echo '<h2>Who are you?</h2><ul>'
    echo '<li><a href="guide-administrator.html">You have an engineSignEncrypt.xml of an identity product</a></li>'
    echo '<li><a href="guide-developer.html">You write programs</a></li>'
    echo '<li><a href="guide-operator.html">You look after keys and services</a></li>'
    echo '<li><a href="guide-auditor.html">You want to know what was signed, and by whom</a></li></ul>'
    echo '<h2>All pages</h2><ul class="index">'
    for file in README.md CONTRIBUTING.md SECURITY.md doc/*.md; do index_row "$(basename "$file" .md).html" "$(title_of "$file")"; done
    index_row java.html "$(title_of java/README.md)"
    index_row python.html "$(title_of python/README.md)"
    for file in samples/*/README.md; do index_row "sample-$(basename "$(dirname "$file")").html" "$(title_of "$file")"; done
    for file in doc/*.[1-9]; do
        index_row "$(basename "$file").html" "$(basename "$file" | sed 's/\(.*\)\.\(.\)/\1(\2)/'): $(sed -n 's/^\.Nd //p' "$file")"
    done
    echo '</ul><script src="find.js"></script>'
} | page index.html signengine
