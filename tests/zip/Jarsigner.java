// SPDX-License-Identifier: Apache-2.0
// jarsigner -verify -strict over many archives in one process.  For each a line: archive, tab, "accepts", if it says "jar verified", or "refuses STATUS: why".
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.security.Permission;
import java.util.Locale;

public class Jarsigner {
    static class Ended extends SecurityException {
        final int status;

        Ended(int status) {
            this.status = status;
        }
    }

    static class NoExit extends SecurityManager {
        @Override
        public void checkExit(int status) {
            throw new Ended(status);
        }

        @Override
        public void checkPermission(Permission permission) {
        }
    }

    // Messages may hold anything.
    static String clean(String text) {
        return text.strip().replaceAll("[^ -~]", "?");
    }

    // The line that says why; what is only advice comes after it.
    static String why(String said) {
        for (String line : said.split("\n"))
            if (line.startsWith("jarsigner: ") || line.startsWith("jar is unsigned") || line.startsWith("no manifest"))
                return clean(line);
        boolean errors = false;
        for (String line : said.split("\n")) {
            if (errors && !line.isBlank())
                return clean(line);
            errors |= line.startsWith("Error:");
        }
        return clean(said.strip().split("\n")[0]);
    }

    static int run(String store, String archive) {
        try {
            new sun.security.tools.jarsigner.Main().run(new String[] { "-verify", "-strict", "-keystore", store, "-storepass", "changeit", archive });
            return 0;
        } catch (Ended end) {
            return end.status;
        } catch (RuntimeException e) {
            System.out.println("jarsigner: " + e);
            return 1;
        }
    }

    public static void main(String[] args) {
        PrintStream out = System.out;
        Locale.setDefault(Locale.ROOT);
        System.setSecurityManager(new NoExit());
        for (int i = 1; i < args.length; i++) {
            ByteArrayOutputStream said = new ByteArrayOutputStream();
            System.setOut(new PrintStream(said, true));
            int status = run(args[0], args[i]);
            System.setOut(out);
            boolean verified = status == 0 && said.toString().contains("jar verified.");
            out.println(args[i] + "\t" + (verified ? "accepts" : "refuses " + status + ": " + why(said.toString())));
        }
        System.setSecurityManager(null);
    }
}
