// SPDX-License-Identifier: Apache-2.0
import java.io.FileInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.ASN1GeneralizedTime;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.cms.CMSObjectIdentifiers;
import org.bouncycastle.asn1.cms.OtherRevocationInfoFormat;
import org.bouncycastle.asn1.ocsp.OCSPObjectIdentifiers;
import org.bouncycastle.asn1.x509.ExtensionsGenerator;
import org.bouncycastle.cert.X509CRLHolder;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.ocsp.BasicOCSPRespBuilder;
import org.bouncycastle.cert.ocsp.CertificateID;
import org.bouncycastle.cert.ocsp.CertificateStatus;
import org.bouncycastle.cert.ocsp.OCSPRespBuilder;
import org.bouncycastle.cert.ocsp.RespID;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.operator.DigestCalculatorProvider;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.util.CollectionStore;

/*
 * Bouncy Castle's revocation information; a line of standard input each:
 *
 *   bring IN OUT KIND=FILE...                      a CMS signature that brings it: crl (DER), ocsp (a response), other (any DER)
 *   answer CERTIFICATE ISSUER KEY.p12 OUT WORD...  a response, good today and for a day, with digests of SHA-256;
 *                                                  words: cutoff=TIME, critical-part, critical-whole
 */
public class Ocsp {
    static byte[] read(String name) throws Exception {
        return Files.readAllBytes(Path.of(name));
    }

    static void bring(String[] words) throws Exception {
        CMSSignedData signed = new CMSSignedData(read(words[1]));
        List<Object> brought = new ArrayList<>();
        for (String word : Arrays.copyOfRange(words, 3, words.length)) {
            byte[] der = read(word.substring(word.indexOf('=') + 1));
            if (word.startsWith("crl="))
                brought.add(new X509CRLHolder(der));
            else
                brought.add(new OtherRevocationInfoFormat(
                    word.startsWith("ocsp=") ? CMSObjectIdentifiers.id_ri_ocsp_response : CMSObjectIdentifiers.id_ri_scvp,
                    ASN1Primitive.fromByteArray(der)));
        }
        signed = CMSSignedData.replaceCertificatesAndCRLs(signed, signed.getCertificates(), signed.getAttributeCertificates(),
            new CollectionStore<>(brought));
        Files.write(Path.of(words[2]), signed.getEncoded("DER"));
    }

    static void answer(String[] words) throws Exception {
        DigestCalculatorProvider digests = new JcaDigestCalculatorProviderBuilder().build();
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(new FileInputStream(words[3]), "secret".toCharArray());
        String alias = store.aliases().nextElement();
        X509CertificateHolder responder = new X509CertificateHolder(store.getCertificate(alias).getEncoded());
        X509CertificateHolder subject = new X509CertificateHolder(read(words[1]));
        CertificateID id = new CertificateID(digests.get(new org.bouncycastle.asn1.x509.AlgorithmIdentifier(
            new ASN1ObjectIdentifier("2.16.840.1.101.3.4.2.1"))), new X509CertificateHolder(read(words[2])), subject.getSerialNumber());
        BasicOCSPRespBuilder answers = new BasicOCSPRespBuilder(new RespID(responder.getSubject()));
        ExtensionsGenerator part = new ExtensionsGenerator();
        ExtensionsGenerator whole = new ExtensionsGenerator();
        for (String word : Arrays.copyOfRange(words, 5, words.length)) {
            if (word.startsWith("cutoff="))
                part.addExtension(OCSPObjectIdentifiers.id_pkix_ocsp_archive_cutoff, false,
                    new ASN1GeneralizedTime(Date.from(Instant.parse(word.substring(7)))));
            else
                (word.equals("critical-part") ? part : whole).addExtension(new ASN1ObjectIdentifier("1.2.3.4"), true, DERNull.INSTANCE);
        }
        Instant now = Instant.now();
        answers.addResponse(id, CertificateStatus.GOOD, Date.from(now.minusSeconds(1)), Date.from(now.plusSeconds(86400)),
            part.isEmpty() ? null : part.generate());
        if (!whole.isEmpty())
            answers.setResponseExtensions(whole.generate());
        byte[] made = new OCSPRespBuilder().build(OCSPRespBuilder.SUCCESSFUL, answers.build(
            new JcaContentSignerBuilder("SHA256withRSA").build((PrivateKey) store.getKey(alias, "secret".toCharArray())),
            new X509CertificateHolder[] { responder }, Date.from(now))).getEncoded();
        Files.write(Path.of(words[4]), made);
    }

    public static void main(String[] args) throws Exception {
        for (String line : new String(System.in.readAllBytes()).split("\n")) {
            String[] words = line.split(" ");
            if (words[0].equals("bring"))
                bring(words);
            else
                answer(words);
        }
    }
}
