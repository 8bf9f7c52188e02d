#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# C14N of what is not signed here, for it has a DTD: the points of Canonical XML 1.0, 3.3 to 3.5, by examples of our own, and what an element
# takes along from those around it (3.7; Exclusive XML Canonicalization, 2.2).  Signing such documents is refused.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl

make_signer Files ec:P-256

# canonical WAY: of input.xml it is what `expected` holds
canonical() {
    accepts "${top_builddir:?}/tests/interop/c14n" "$1" input.xml
    printf %s "$(cat expected)" >wanted
    same wanted "$out"
}
# by us it is neither signed nor verified
refused() {
    refuses 65 signengine sign --xml -d Files input.xml -o never
    says 'a DOCTYPE is not allowed'
    refuses 65 signengine verify --xml -d Files input.xml
    says 'a DOCTYPE is not allowed'
    [ ! -e never ] || fail "it was signed"
}

# 3.3: attributes by default, superfluous namespaces, order of both
cat >input.xml <<'XML'
<!DOCTYPE list [<!ATTLIST item state CDATA "new" xmlns:q CDATA "urn:q">]>
<list xmlns:z="urn:z" xmlns="urn:list"   >
  <item   z:b = 'z' b="2" a='1'  xmlns="urn:list"/>
  <item state="old" xmlns:q="urn:r" q:a="r" xmlns=""><item xmlns="" /></item>
</list>
XML
cat >expected <<'XML'
<list xmlns="urn:list" xmlns:z="urn:z">
  <item xmlns:q="urn:q" a="1" b="2" state="new" z:b="z"></item>
  <item xmlns="" xmlns:q="urn:r" state="old" q:a="r"><item xmlns:q="urn:q" state="new"></item></item>
</list>
XML
canonical inclusive
cat >expected <<'XML'
<list xmlns="urn:list">
  <item xmlns:z="urn:z" a="1" b="2" state="new" z:b="z"></item>
  <item xmlns="" xmlns:q="urn:r" state="old" q:a="r"><item state="new"></item></item>
</list>
XML
canonical exclusive
refused

# 3.4: characters, and values that are normalised as their type has it
cat >input.xml <<'XML'
<!DOCTYPE list [<!ATTLIST names value NMTOKENS #IMPLIED><!ATTLIST one id ID #IMPLIED>]>
<list><names value='  a  &#x20;&#13;&#10;&#9;  b  '/><one id=" x&#x20; "/><any id=" x&#x20; &#9;&#xD;&#xA;'&quot;&lt;&gt;"/>
<text>a&#xD;&#10;b &gt; "&#x27;"<![CDATA[<&]]>&amp;</text></list>
XML
cat >expected <<'XML'
<list><names value="a &#xD;&#xA;&#x9; b"></names><one id="x"></one><any id=" x  &#x9;&#xD;&#xA;'&quot;&lt;>"></any>
<text>a&#xD;
b &gt; "'"&lt;&amp;&amp;</text></list>
XML
canonical inclusive
canonical exclusive
refused

# 3.5: entities
printf 'somebody <else/>' >outside.txt
cat >input.xml <<'XML'
<!DOCTYPE list [<!ENTITY inside "<b>&#38;amp;</b>"><!ENTITY outside SYSTEM "outside.txt"><!ENTITY picture SYSTEM "p.gif" NDATA gif>
<!NOTATION gif SYSTEM "viewer"><!ATTLIST list of ENTITY #IMPLIED>]>
<?page   a ?><list of="picture">&inside; &outside;!</list><!-- gone -->
<?page?>
XML
cat >expected <<'XML'
<?page a ?>
<list of="picture"><b>&amp;</b> somebody <else></else>!</list>
<?page?>
XML
canonical inclusive
canonical exclusive
refused

# 3.7 and 2.2: what of the elements around it an element takes along
part() { # OPTION...
    accepts signengine sign --xml -d Files --id part "$@" input.xml -o signed.xml
    accepts signengine verify --xml -d Files --id part signed.xml -o seen
    printf %s "$(cat expected)" >wanted
    same wanted seen
}
printf %s '<a xmlns="urn:a" xmlns:p="urn:p" xml:lang="de" b="b"><p:c Id="part" xml:space="default"><d/></p:c></a>' >input.xml
echo '<p:c xmlns:p="urn:p" Id="part" xml:space="default"><d xmlns="urn:a"></d></p:c>' >expected
part
echo '<p:c xmlns="urn:a" xmlns:p="urn:p" Id="part" xml:lang="de" xml:space="default"><d></d></p:c>' >expected
part --inclusive
