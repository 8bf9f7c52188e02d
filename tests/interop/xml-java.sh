#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# XML signatures of ours before the JDK, secure validation on, and of the JDK before us; PSS too, which the xmlsec1 of today lacks.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl java

make_ca ca
for pair in rsa:rsa:2048 p256:ec:P-256 p384:ec:P-384 p521:ec:P-521; do
    make_cert "${pair%%:*}" "${pair#*:}" keyUsage=critical,digitalSignature
    make_p12 "${pair%%:*}"
done
pairs='SHA256withRSA-rsa SHA384withRSA-rsa SHA512withRSA-rsa SHA256withRSAandMGF1-rsa SHA384withRSAandMGF1-rsa SHA512withRSAandMGF1-rsa
    SHA256withECDSA-p256 SHA384withECDSA-p384 SHA512withECDSA-p521'
{
    echo '<engineSignEncrypt><descriptors>'
    for pair in $pairs; do
        echo "<descriptor name='$pair'><type algorithm='${pair%-*}' key='${pair#*-}'/></descriptor>"
    done
    echo '</descriptors><keys>'
    for key in rsa p256 p384 p521; do
        echo "<key name='$key'><type name='pkcs12' locationValue='$tmp/$key.p12' pin='1234'/></key>"
    done
    echo '</keys></engineSignEncrypt>'
} >engine.xml
chmod 600 engine.xml
export SIGNENGINE_CONFIG="$tmp/engine.xml"
cat >document.xml <<'XML'
<order xmlns="urn:order" xmlns:q="urn:unused" xml:lang="de">
  <item z="last" a="first &lt; &quot;quoted&quot;&#9;tab" q:b=''>Gr&#xFC;ße&amp;<![CDATA[<raw> & ]]>&#13;</item>
  <e:empty xmlns:e="urn:e" xmlns="" Id="part"><inner xmlns="urn:order"/></e:empty>
</order>
XML

set --
for pair in $pairs; do
    for form in '' --inclusive --enveloping --detached '--id part'; do
        file=$pair$(echo "$form" | tr -d ' -').xml
        # shellcheck disable=SC2086 # several options
        accepts signengine sign --xml -d "$pair" $form document.xml -o "$file"
        id=$(case $form in *part) echo part ;; --enveloping) echo signed-object ;; --detached) echo detached ;; *) echo - ;; esac)
        set -- "$@" "verify $file $id"
    done
done
sed 's/first/FIRST/' SHA256withRSA-rsa.xml >changed.xml
more=http://www.w3.org/2001/04/xmldsig-more# pss=http://www.w3.org/2007/05/xmldsig-more# sha=http://www.w3.org/2001/04/xmlenc#sha
theirs="SHA256withRSA-rsa|${more}rsa-sha256|${sha}256 SHA512withRSA-rsa|${more}rsa-sha512|${sha}512 SHA256withRSAandMGF1-rsa|${pss}sha256-rsa-MGF1|${sha}256
    SHA256withECDSA-p256|${more}ecdsa-sha256|${sha}256 SHA384withECDSA-p384|${more}ecdsa-sha384|${more}sha384 SHA512withECDSA-p521|${more}ecdsa-sha512|${sha}512"
for their in $theirs; do
    pair=${their%%|*} methods=${their#*|}
    for c14n in http://www.w3.org/2001/10/xml-exc-c14n# http://www.w3.org/TR/2001/REC-xml-c14n-20010315; do
        set -- "$@" "sign ${pair#*-}.p12 document.xml theirs-$pair-$(basename "$c14n" | tr -d '#').xml ${methods%|*} ${methods#*|} $c14n"
    done
done
setup java "$top_srcdir/tests/interop/XmlDsig.java" "$@" 'verify changed.xml -'
cp "$out" answers
for job; do
    accepts grep -F -x "$job: good" answers
    [ "$status" = 0 ] || grep -F "$job" answers
done
accepts grep -F -x 'verify changed.xml -: bad' answers
for file in theirs-*.xml; do
    case $file in *xml-exc-c14n.xml) pair=${file#theirs-} pair=${pair%-xml-exc-c14n.xml} ;; *) pair=${file#theirs-} pair=${pair%-REC-xml-c14n-20010315.xml} ;; esac
    accepts signengine verify --xml -d "$pair" "$file"
done
