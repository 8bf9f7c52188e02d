// SPDX-License-Identifier: Apache-2.0
// CMS with Bouncy Castle, as the lines of standard input say:
//     encrypt CERT.der PLAIN DER HASH gcm|cbc
//     decrypt KEY.der DER PLAIN                   (KEY.der: PKCS #8)
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Security;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.cms.CMSObjectIdentifiers;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cms.CMSAlgorithm;
import org.bouncycastle.cms.CMSAuthEnvelopedData;
import org.bouncycastle.cms.CMSAuthEnvelopedDataGenerator;
import org.bouncycastle.cms.CMSEnvelopedData;
import org.bouncycastle.cms.CMSEnvelopedDataGenerator;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.RecipientInformation;
import org.bouncycastle.cms.jcajce.JceCMSContentEncryptorBuilder;
import org.bouncycastle.cms.jcajce.JceKeyTransAuthEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyTransEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyTransRecipientInfoGenerator;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.OutputAEADEncryptor;
import org.bouncycastle.operator.OutputEncryptor;
import org.bouncycastle.operator.jcajce.JcaAlgorithmParametersConverter;

public class Envelope {
    static JceKeyTransRecipientInfoGenerator recipient(byte[] certificate, String hash) throws Exception {
        OAEPParameterSpec oaep = new OAEPParameterSpec(hash, "MGF1", new MGF1ParameterSpec(hash), PSource.PSpecified.DEFAULT);
        AlgorithmIdentifier how =
            new JcaAlgorithmParametersConverter().getAlgorithmIdentifier(PKCSObjectIdentifiers.id_RSAES_OAEP, oaep);
        return new JceKeyTransRecipientInfoGenerator(
            new JcaX509CertificateConverter().getCertificate(new X509CertificateHolder(certificate)), how).setProvider("BC");
    }

    static OutputEncryptor encryptor(ASN1ObjectIdentifier algorithm) throws Exception {
        return new JceCMSContentEncryptorBuilder(algorithm).setProvider("BC").build();
    }

    static byte[] encrypt(byte[] certificate, String hash, boolean gcm, byte[] plain) throws Exception {
        CMSProcessableByteArray content = new CMSProcessableByteArray(plain);
        if (gcm) {
            CMSAuthEnvelopedDataGenerator generator = new CMSAuthEnvelopedDataGenerator();
            generator.addRecipientInfoGenerator(recipient(certificate, hash));
            return generator.generate(content, (OutputAEADEncryptor) encryptor(CMSAlgorithm.AES256_GCM)).getEncoded();
        }
        CMSEnvelopedDataGenerator generator = new CMSEnvelopedDataGenerator();
        generator.addRecipientInfoGenerator(recipient(certificate, hash));
        return generator.generate(content, encryptor(CMSAlgorithm.AES256_CBC)).getEncoded();
    }

    static byte[] decrypt(byte[] pkcs8, byte[] der) throws Exception {
        PrivateKey key = KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
        ContentInfo info = ContentInfo.getInstance(der);
        if (info.getContentType().equals(CMSObjectIdentifiers.authEnvelopedData)) {
            RecipientInformation one = new CMSAuthEnvelopedData(der).getRecipientInfos().getRecipients().iterator().next();
            return one.getContent(new JceKeyTransAuthEnvelopedRecipient(key).setProvider("BC"));
        }
        RecipientInformation one = new CMSEnvelopedData(der).getRecipientInfos().getRecipients().iterator().next();
        return one.getContent(new JceKeyTransEnvelopedRecipient(key).setProvider("BC"));
    }

    static void run(String[] words) throws Exception {
        byte[] key = Files.readAllBytes(Path.of(words[1]));
        byte[] in = Files.readAllBytes(Path.of(words[2]));
        byte[] made = words[0].equals("encrypt") ? encrypt(key, words[4], words[5].equals("gcm"), in) : decrypt(key, in);
        Files.write(Path.of(words[3]), made);
    }

    public static void main(String[] args) throws Exception {
        boolean failed = false;
        Security.addProvider(new BouncyCastleProvider());
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine())
            try {
                run(line.split(" "));
            } catch (Exception e) {
                System.err.println(line + ": " + e);
                failed = true;
            }
        System.exit(failed ? 1 : 0);
    }
}
