#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# XML: what is handed out is the canonical form (the examples of Canonical XML 1.0, 3, and of Exclusive XML Canonicalization, 2.2, as far as
# they have no DTD), options that do not go together, and 100 MB, signed and verified in 1.5 GB of memory.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl

make_signer Files ec:P-256

# canonical NAME OPTION...: NAME.xml signed so hands out NAME.canonical
canonical() {
    name=$1
    shift
    accepts signengine sign --xml -d Files "$@" "$name.xml" -o signed.xml
    case $* in *--id*) id='--id e' ;; *) id= ;; esac
    # shellcheck disable=SC2086 # two words or none
    accepts signengine verify --xml -d Files $id signed.xml -o seen
    same "$name.canonical" seen
}

cat >3-1.xml <<'XML'
<?xml version="1.0"?>

<?xml-stylesheet   href="doc.xsl"
   type="text/xsl"   ?>

<doc>Hello, world!<!-- Comment 1 --></doc>

<?pi-without-data     ?>

<!-- Comment 2 -->

<!-- Comment 3 -->
XML
printf '%s\n' '<?xml-stylesheet href="doc.xsl"' '   type="text/xsl"   ?>' '<doc>Hello, world!</doc>' >3-1.canonical
printf '<?pi-without-data?>' >>3-1.canonical
cat >3-2.xml <<'XML'
<doc>
   <clean>   </clean>
   <dirty>   A   B   </dirty>
   <mixed>
      A
      <clean>   </clean>
      B
      <dirty>   A   B   </dirty>
      C
   </mixed>
</doc>
XML
printf %s "$(cat 3-2.xml)" >3-2.canonical
cat >3-3.xml <<'XML'
<doc>
   <e1   />
   <e2   ></e2>
   <e3   name = "elem3"   id="elem3"   />
   <e4   name="elem4"   id="elem4"   ></e4>
   <e5 a:attr="out" b:attr="sorted" attr2="all" attr="I'm"
      xmlns:b="http://www.ietf.org"
      xmlns:a="http://www.w3.org"
      xmlns="http://example.org"/>
   <e6 xmlns="" xmlns:a="http://www.w3.org">
      <e7 xmlns="http://www.ietf.org">
         <e8 xmlns="" xmlns:a="http://www.w3.org">
            <e9 xmlns="" xmlns:a="http://www.ietf.org"/>
         </e8>
      </e7>
   </e6>
</doc>
XML
printf %s '<doc>
   <e1></e1>
   <e2></e2>
   <e3 id="elem3" name="elem3"></e3>
   <e4 id="elem4" name="elem4"></e4>
   <e5 xmlns="http://example.org" xmlns:a="http://www.w3.org" xmlns:b="http://www.ietf.org" attr="I'\''m" attr2="all" b:attr="sorted" a:attr="out"></e5>
   <e6 xmlns:a="http://www.w3.org">
      <e7 xmlns="http://www.ietf.org">
         <e8 xmlns="">
            <e9 xmlns:a="http://www.ietf.org"></e9>
         </e8>
      </e7>
   </e6>
</doc>' >3-3.canonical
cat >3-4.xml <<'XML'
<doc>
   <text>First line&#x0d;&#10;Second line</text>
   <value>&#x32;</value>
   <compute><![CDATA[value>"0" && value<"10" ?"valid":"error"]]></compute>
   <compute expr='value>"0" &amp;&amp; value&lt;"10" ?"valid":"error"'>valid</compute>
   <norm attr=' &apos;   &#x20;&#13;&#xa;&#9;   &apos; '/>
</doc>
XML
printf %s '<doc>
   <text>First line&#xD;
Second line</text>
   <value>2</value>
   <compute>value&gt;"0" &amp;&amp; value&lt;"10" ?"valid":"error"</compute>
   <compute expr="value>&quot;0&quot; &amp;&amp; value&lt;&quot;10&quot; ?&quot;valid&quot;:&quot;error&quot;">valid</compute>
   <norm attr=" '\''    &#xD;&#xA;&#x9;   '\'' "></norm>
</doc>' >3-4.canonical
printf '<doc>&#169;</doc>' >3-6.xml
printf '<doc>\302\251</doc>' >3-6.canonical
for example in 3-1 3-2 3-4 3-6; do
    canonical $example
done
for example in 3-1 3-2 3-3 3-4 3-6; do
    canonical $example --inclusive
done
printf %s '<n0:local xmlns:n0="foo:bar" xmlns:n3="ftp://example.org"><n1:elem2 Id="e" xmlns:n1="http://example.net" xml:lang="en"><n3:stuff/></n1:elem2></n0:local>' >2-2.xml
printf %s '<n1:elem2 xmlns:n1="http://example.net" Id="e" xml:lang="en"><n3:stuff xmlns:n3="ftp://example.org"></n3:stuff></n1:elem2>' >2-2.canonical
canonical 2-2 --id e
printf %s '<n1:elem2 xmlns:n0="foo:bar" xmlns:n1="http://example.net" xmlns:n3="ftp://example.org" Id="e" xml:lang="en"><n3:stuff></n3:stuff></n1:elem2>' >2-2.canonical
canonical 2-2 --id e --inclusive
# an attribute of the signed element that one around it has too: the JDK writes both
printf '<a xml:lang="en"><b Id="e" xml:lang="de"/></a>' >repeated.xml
refuses 65 signengine sign --xml -d Files --id e --inclusive repeated.xml
says "'xml:lang' is an attribute of the signed element and of one around it, of which inclusive canonical forms differ: sign without --inclusive"
accepts signengine sign --xml -d Files --id e repeated.xml
accepts signengine sign --xml -d Files --inclusive repeated.xml -o whole.xml

# ---- where it goes, and what does not go together ----
accepts signengine sign --xml -d Files 3-2.xml
[ -s 3-2.xml.signed.xml ] || fail "no 3-2.xml.signed.xml"
accepts signengine sign --xml --detached -d Files 3-2.xml
grep -q 'URI="3-2.xml"' 3-2.xml.sig.xml || fail "not the name of the file"
cp 3-2.xml 'a b&"ü.xml'
accepts signengine sign --xml --detached -d Files 'a b&"ü.xml' -o signature.xml
grep -q 'URI="a%20b%26%22%C3%BC.xml"' signature.xml || fail "not the name of the file as a URI"
accepts signengine verify --xml -d Files 3-2.xml -s signature.xml
piped() { signengine sign --xml -d Files <3-2.xml | signengine verify --xml -d Files; }
accepts piped
for options in '--raw' '--attached' '--pem' '--time 2026-01-01' '--enveloping --detached' '--id e --detached' '--id e --enveloping' '--uri x'; do
    # shellcheck disable=SC2086
    refuses 64 signengine sign --xml -d Files $options 3-2.xml -o never
done
for options in '--id e' --enveloping --detached '--uri x' --inclusive; do
    # shellcheck disable=SC2086
    refuses 64 signengine sign -d Files $options 3-2.xml -o never
done
refuses 64 signengine verify --xml --raw -d Files 3-2.xml
refuses 64 signengine verify --id e -d Files 3-2.xml
refuses 65 signengine sign --xml -d Files --id none 3-2.xml -o never
refuses 65 signengine sign --xml -d Files one.pem -o never
refuses 65 signengine verify --xml -d Files 3-2.xml -s one.pem
refuses 65 signengine verify --xml -d Files 3-2.xml -s 3-2.xml
[ ! -e never ] || fail "something was written"

# ---- 100 MB ----
if instrumented; then exit 0; fi
[ "$(df -Pk . | awk 'NR == 2 { print $4 }')" -gt 500000 ] || exit 0
awk 'BEGIN { print "<list>"; for (i = 0; i < 1060000; i++) printf "<entry number=\"%07d\"><name>someone or other %d</name><state>active and well</state></entry>\n", i, i; print "</list>" }' >large.xml
[ "$(stat -c %s large.xml)" -gt 100000000 ] || fail "not 100 MB"
# measured KILOBYTES ARGUMENT...
measured() { kilobytes=$1 && shift && "${top_builddir:?}/tests/lib/maxrss" "$kilobytes" "$top_builddir/signengine" "$@"; }
accepts measured 1572864 sign --xml -d Files large.xml -o large.signed.xml
accepts measured 1572864 verify --xml -d Files large.signed.xml
{ cat large.xml && head -c 40000000 large.xml; } >larger.xml
refuses 65 signengine sign --xml -d Files larger.xml -o never
says 'is too long'
