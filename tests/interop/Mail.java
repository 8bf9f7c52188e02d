// SPDX-License-Identifier: Apache-2.0
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Security;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.Collections;
import java.util.Properties;
import java.util.regex.Pattern;
import javax.mail.Header;
import javax.mail.Session;
import javax.mail.internet.InternetHeaders;
import javax.mail.internet.MimeBodyPart;
import javax.mail.internet.MimeMessage;
import javax.mail.internet.MimeMultipart;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.CMSSignerDigestMismatchException;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.mail.smime.SMIMESigned;
import org.bouncycastle.mail.smime.SMIMESignedGenerator;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;

/*
 * Bouncy Castle's S/MIME: Mail CA.pem KEY.p12 JOB...
 *
 *   verify FILE         a signed message, its signer's certificate issued by the CA
 *   bytes FILE          the same of multipart/signed, over the bytes between its boundaries: JavaMail writes some parts not as they were
 *   sign FILE OUT       a message signed with the key, clear
 *   opaque FILE OUT     or with the content inside
 *
 * Says what became of each job: "JOB: good", "JOB: bad", or "JOB: " and why it is neither.
 */
class Mail {
    static final Session session = Session.getInstance(new Properties());
    static X509Certificate ca;
    static PrivateKey key;
    static X509Certificate certificate;

    public static void main(String[] args) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        try (InputStream in = new FileInputStream(args[0])) {
            ca = (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = new FileInputStream(args[1])) {
            store.load(in, "1234".toCharArray());
        }
        String alias = store.aliases().nextElement();
        key = (PrivateKey) store.getKey(alias, "1234".toCharArray());
        certificate = (X509Certificate) store.getCertificate(alias);
        for (int i = 2; i < args.length; i++)
            System.out.println(args[i] + ": " + run(args[i].split(" ")));
    }

    static String run(String[] job) {
        try (InputStream in = new FileInputStream(job[1])) {
            if (job[0].equals("bytes"))
                return check(cut(new String(in.readAllBytes(), StandardCharsets.ISO_8859_1))) ? "good" : "bad";
            MimeMessage message = new MimeMessage(session, in);
            if (job[0].equals("verify"))
                return check(open(message)) ? "good" : "bad";
            sign(message, job[2], job[0].equals("opaque"));
            return "good";
        } catch (CMSSignerDigestMismatchException e) {
            return "bad";
        } catch (Exception e) {
            return e.toString();
        }
    }

    static CMSSignedData open(MimeMessage message) throws Exception {
        return message.isMimeType("multipart/signed") ? new SMIMESigned((MimeMultipart) message.getContent()) : new SMIMESigned(message);
    }

    static CMSSignedData cut(String message) throws Exception {
        String text = message.replace("\r\n", "\n").replace("\n", "\r\n");
        String boundary = "\r\n--=_" + text.split("boundary=\"=_", 2)[1].split("\"", 2)[0];
        String[] parts = text.split(Pattern.quote(boundary));
        byte[] content = parts[1].substring(2).getBytes(StandardCharsets.ISO_8859_1);
        byte[] signature = Base64.getMimeDecoder().decode(parts[2].split("\r\n\r\n", 2)[1]);
        return new CMSSignedData(new CMSProcessableByteArray(content), signature);
    }

    static boolean check(CMSSignedData signed) throws Exception {
        int count = 0;
        for (SignerInformation signer : signed.getSignerInfos().getSigners()) {
            X509CertificateHolder holder = (X509CertificateHolder) signed.getCertificates().getMatches(signer.getSID()).iterator().next();
            boolean issued = holder.isSignatureValid(new JcaContentVerifierProviderBuilder().setProvider("BC").build(ca));
            if (!issued || !signer.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(holder)))
                return false;
            count++;
        }
        return count == 1;
    }

    static void sign(MimeMessage message, String path, boolean opaque) throws Exception {
        SMIMESignedGenerator generator = new SMIMESignedGenerator();
        generator.addSignerInfoGenerator(new JcaSimpleSignerInfoGeneratorBuilder().setProvider("BC").build("SHA256withRSA", key, certificate));
        generator.addCertificates(new JcaCertStore(Collections.singletonList(certificate)));
        InternetHeaders headers = new InternetHeaders();
        for (Header header : Collections.list(message.getAllHeaders()))
            if (header.getName().toLowerCase().startsWith("content-"))
                headers.addHeader(header.getName(), header.getValue());
        MimeBodyPart part = new MimeBodyPart(headers, message.getRawInputStream().readAllBytes());
        MimeMessage out = new MimeMessage(session);
        out.setFrom(message.getFrom()[0]);
        out.setSubject("signed by Bouncy Castle");
        if (opaque) {
            MimeBodyPart whole = generator.generateEncapsulated(part);
            out.setContent(whole.getContent(), whole.getContentType());
        } else {
            MimeMultipart whole = generator.generate(part);
            out.setContent(whole, whole.getContentType());
        }
        out.saveChanges();
        try (OutputStream file = new FileOutputStream(path)) {
            out.writeTo(file);
        }
    }
}
