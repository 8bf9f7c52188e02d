// SPDX-License-Identifier: Apache-2.0
import java.io.BufferedReader;
import java.io.File;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.util.zip.ZipFile;
import jdk.security.jarsigner.JarSigner;

/**
 * What jarsigner makes of archives, whose paths are read a line each: ARCHIVE, TAB, SIGNED. For each a line: archive, TAB, "signs" or "refuses: why".
 *
 * usage: java Corpus KEYSTORE PASSWORD ALIAS
 */
public class Corpus {
    static String sign(JarSigner signer, String archive, String signed) {
        try (ZipFile zip = new ZipFile(new File(archive)); OutputStream out = new FileOutputStream(signed)) {
            signer.sign(zip, out);
            return "signs";
        } catch (Exception e) {
            new File(signed).delete();
            Throwable why = e.getCause() == null ? e : e.getCause();
            return "refuses: " + why.toString().replaceAll("[^ -~]", "?");
        }
    }

    public static void main(String[] args) throws Exception {
        KeyStore store = KeyStore.getInstance(new File(args[0]), args[1].toCharArray());
        KeyStore.PrivateKeyEntry entry = (KeyStore.PrivateKeyEntry) store.getEntry(args[2], new KeyStore.PasswordProtection(args[1].toCharArray()));
        JarSigner signer = new JarSigner.Builder(entry).digestAlgorithm("SHA-256").signerName("THEIRS").build();
        BufferedReader paths = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = paths.readLine()) != null;) {
            String[] names = line.split("\t");
            System.out.println(names[0] + "\t" + sign(signer, names[0], names[1]));
            System.out.flush();
        }
    }
}
