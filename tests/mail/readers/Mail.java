// SPDX-License-Identifier: Apache-2.0
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import javax.mail.Address;
import javax.mail.Multipart;
import javax.mail.Part;
import javax.mail.Session;
import javax.mail.internet.InternetAddress;
import javax.mail.internet.MimeMessage;

/** What JavaMail makes of messages: files on standard input, a line of JSON for each. */
public class Mail {
    static void read(Part part, List<String> texts) throws Exception {
        Object content = part.getContent();
        if (content instanceof Multipart) {
            Multipart parts = (Multipart) content;
            for (int i = 0; i < parts.getCount(); i++)
                read(parts.getBodyPart(i), texts);
        } else if (content instanceof String)
            texts.add((String) content);
    }

    static String list(List<String> of) {
        StringBuilder out = new StringBuilder("[");
        for (String text : of) {
            out.append(out.length() > 1 ? "," : "").append('"');
            for (char c : text.toCharArray())
                out.append(c < ' ' || c > '~' || c == '"' || c == '\\' ? String.format("\\u%04x", (int) c) : String.valueOf(c));
            out.append('"');
        }
        return out.append(']').toString();
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader names = new BufferedReader(new InputStreamReader(System.in));
        for (String name; (name = names.readLine()) != null;) {
            List<String> from = new ArrayList<>(), texts = new ArrayList<>();
            MimeMessage message = new MimeMessage(Session.getInstance(new Properties()), new FileInputStream(name));
            try {
                Address[] senders = message.getFrom();
                for (Address sender : senders == null ? new Address[0] : senders)
                    from.add(((InternetAddress) sender).getAddress());
            } catch (Exception e) {
                from.add("error: " + e);
            }
            try {
                read(message, texts);
            } catch (Exception e) {
                texts.add("error: " + e);
            }
            System.out.println("{\"judge\":\"javamail\",\"message\":\"" + name + "\",\"from\":" + list(from) + ",\"texts\":" + list(texts) + "}");
        }
    }
}
