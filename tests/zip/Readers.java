// SPDX-License-Identifier: Apache-2.0
import java.io.BufferedInputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.InputStream;
import java.security.CodeSigner;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.Collections;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarInputStream;

/**
 * Whether Java sees every entry of signed archives as signed, with a certificate: as a JarFile and as a JarInputStream.
 *
 * usage: java Readers CERTIFICATE.pem ARCHIVE ENTRIES [ARCHIVE ENTRIES]...      exit status 1: it does not
 */
public class Readers {
    static final byte[] PIECE = new byte[1 << 16];

    static boolean isSignature(String name) {
        return name.matches("META-INF/(MANIFEST\\.MF|[^/]+\\.(SF|RSA|DSA|EC))");
    }

    /* Only what has been read to its end is verified. */
    static long drain(InputStream in) throws Exception {
        long size = 0;
        for (int n; (n = in.read(PIECE)) > 0; size += n)
            ;
        return size;
    }

    static boolean isSigned(JarEntry entry, Certificate certificate) {
        CodeSigner[] signers = entry.getCodeSigners();
        if (signers != null)
            for (CodeSigner signer : signers)
                if (signer.getSignerCertPath().getCertificates().get(0).equals(certificate))
                    return true;
        return false;
    }

    static int count(int count, String how, JarEntry entry, Certificate certificate) {
        if (entry.isDirectory() || isSignature(entry.getName()))
            return count;
        if (!isSigned(entry, certificate))
            throw new SecurityException(how + ": '" + entry.getName() + "' is not signed by that certificate");
        return count + 1;
    }

    static int asFile(String path, Certificate certificate) throws Exception {
        int count = 0;
        try (JarFile jar = new JarFile(new File(path), true)) {
            for (JarEntry entry : Collections.list(jar.entries())) {
                try (InputStream in = jar.getInputStream(entry)) {
                    drain(in);
                }
                count = count(count, "JarFile", entry, certificate);
            }
        }
        return count;
    }

    static int asStream(String path, Certificate certificate) throws Exception {
        int count = 0;
        try (JarInputStream jar = new JarInputStream(new BufferedInputStream(new FileInputStream(path), 1 << 16), true)) {
            if (jar.getManifest() == null)
                throw new SecurityException("JarInputStream: no manifest where it is looked for");
            for (JarEntry entry; (entry = jar.getNextJarEntry()) != null; ) {
                drain(jar);
                count = count(count, "JarInputStream", entry, certificate);
            }
        }
        return count;
    }

    static void expect(String path, String how, int count, String expected) {
        if (count != Integer.parseInt(expected))
            throw new SecurityException(how + ": " + count + " entries, not " + expected);
        System.out.println(path + ": " + how + ": " + count + " entries signed");
    }

    public static void main(String[] args) throws Exception {
        Certificate certificate;
        try (InputStream in = new FileInputStream(args[0])) {
            certificate = CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
        for (int i = 1; i < args.length; i += 2)
            try {
                expect(args[i], "JarFile", asFile(args[i], certificate), args[i + 1]);
                expect(args[i], "JarInputStream", asStream(args[i], certificate), args[i + 1]);
            } catch (Exception e) {
                System.err.println(args[i] + ": " + e.getMessage());
                System.exit(1);
            }
    }
}
