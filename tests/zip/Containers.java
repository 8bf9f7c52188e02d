// SPDX-License-Identifier: Apache-2.0
import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.File;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Collections;
import java.util.HexFormat;
import java.util.jar.JarInputStream;
import java.util.jar.Manifest;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipInputStream;

/**
 * What Java finds in archives, whose paths are read a line each. For each of three readers a line with its name and "good" or "error", after a line for every
 * entry: SHA-256 of its content, and its name in hexadecimal.
 */
public class Containers {
    static final PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);

    static void tell(ZipEntry entry, InputStream in) throws Exception {
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(in.readAllBytes());
        out.println(HexFormat.of().formatHex(digest) + " " + HexFormat.of().formatHex(entry.getName().getBytes(StandardCharsets.UTF_8)));
    }

    static void asFile(String path) throws Exception {
        try (ZipFile zip = new ZipFile(new File(path))) {
            for (ZipEntry entry : Collections.list(zip.entries()))
                try (InputStream in = zip.getInputStream(entry)) {
                    tell(entry, in);
                }
        }
    }

    static void asStream(ZipInputStream zip) throws Exception {
        try (zip) {
            for (ZipEntry entry; (entry = zip.getNextEntry()) != null;)
                tell(entry, zip);
        }
    }

    /* What it takes for the manifest it does not show; it is there in another form. */
    static void asJar(InputStream in) throws Exception {
        JarInputStream jar = new JarInputStream(in, true);
        Manifest manifest = jar.getManifest();
        if (manifest != null)
            out.println("manifest " + manifest.getEntries().size());
        asStream(jar);
    }

    static InputStream open(String path) throws Exception {
        return new BufferedInputStream(new FileInputStream(path));
    }

    interface Reading {
        void run() throws Exception;
    }

    static void judge(String name, Reading reading) {
        try {
            reading.run();
            out.println(name + " good");
        } catch (Exception e) {
            out.println(name + " error " + e.toString().replace('\n', ' '));
        }
        out.flush();
    }

    public static void main(String[] args) throws Exception {
        BufferedReader paths = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = paths.readLine()) != null;) {
            String path = line;
            judge("ZipFile", () -> asFile(path));
            judge("ZipInputStream", () -> asStream(new ZipInputStream(open(path))));
            judge("JarInputStream", () -> asJar(open(path)));
        }
    }
}
