# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What the tests of mail share.
#
#   mail_certificates    ca, other (CAs); alice (RSA), alice-ec, international (xn--), dn (address in the subject), expired, self-signed
#   mail_configuration   engine.xml: SignEmailDescriptor version 1 (EC, SHA-384) and 2 (RSA, SHA-256), Pss,
#                        International, InSubject, Other, Expired, SelfSigned

mail_certificates() {
    make_ca ca
    make_ca other
    mail_cert alice rsa:2048 subjectAltName=email:alice@example.org
    mail_cert alice-ec ec:P-384 subjectAltName=email:alice@example.org
    mail_cert international ec:P-256 subjectAltName=email:alice@xn--bcher-kva.example,email:alice@example.org
    mail_cert dn ec:P-256 subject=/CN=dn/emailAddress=dn@example.org
    mail_cert stranger ec:P-256 subjectAltName=email:stranger@example.org issuer=other
    mail_cert expired ec:P-256 subjectAltName=email:alice@example.org until=20210101000000Z
    mail_cert self ec:P-256 subjectAltName=email:alice@example.org issuer=self
}

mail_cert() {
    make_cert "$@" keyUsage=critical,digitalSignature extendedKeyUsage=emailProtection subjectKeyIdentifier=hash
    cat "$1.key" "$1.pem" >"$1.bundle"
}

mail_configuration() {
    cat >engine.xml <<-XML
	<engineSignEncrypt>
	  <descriptors>
	    <descriptor name='SignEmailDescriptor' version='1'><type algorithm='SHA384withECDSA' key='alice-ec'/></descriptor>
	    <descriptor name='SignEmailDescriptor' version='2'><type algorithm='SHA256withRSA' key='alice'/></descriptor>
	    <descriptor name='Pss'><type algorithm='SHA512withRSAandMGF1' key='alice'/></descriptor>
	    <descriptor name='International'><type algorithm='SHA256withECDSA' key='international'/></descriptor>
	    <descriptor name='InSubject'><type algorithm='SHA256withECDSA' key='dn'/></descriptor>
	    <descriptor name='Other'><type algorithm='SHA256withECDSA' key='stranger'/></descriptor>
	    <descriptor name='Expired'><type algorithm='SHA256withECDSA' key='expired'/></descriptor>
	    <descriptor name='SelfSigned'><type algorithm='SHA384withRSA' key='self'/></descriptor>
	  </descriptors>
	  <keys>
	$(for name in alice alice-ec international dn stranger expired self; do echo "<key name='$name'><type name='pem' locationValue='$name.bundle'/></key>"; done)
	  </keys>
	</engineSignEncrypt>
	XML
    chmod 600 engine.xml
    export SIGNENGINE_CONFIG="${tmp:?}/engine.xml"
}
