// SPDX-License-Identifier: Apache-2.0
import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/**
 * One page: sign, verify, encrypt and decrypt a text. It does so for whoever reaches it, and is meant for trials on a machine of
 * your own.
 */
@WebServlet("")
public final class PageServlet extends HttpServlet {
    private static final String PAGE = """
            <!DOCTYPE html>
            <html lang="en">
            <title>signengine</title>
            <form method="post">
            <p><label>Descriptor <input name="descriptor" value="%s"></label>
            <p><label>Content, or an encrypted value<br><textarea name="content" rows="8" cols="80">%s</textarea></label>
            <p><label>Signature, to verify<br><textarea name="signature" rows="8" cols="80">%s</textarea></label>
            <p><button name="operation" value="sign">Sign</button> <button name="operation" value="verify">Verify</button>
            <button name="operation" value="encrypt">Encrypt</button> <button name="operation" value="decrypt">Decrypt</button>
            </form>
            <pre>%s</pre>
            </html>
            """;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        answer(request, response, 200, "");
    }

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response) throws IOException {
        request.setCharacterEncoding("UTF-8");
        try {
            answer(request, response, 200, run(request));
        } catch (Signengine.Failure e) {
            answer(request, response, 422, e.status + ": " + e.getMessage() + " (request " + e.requestId + ")");
        } catch (Exception e) {
            answer(request, response, 422, e.toString());
        }
    }

    private String run(HttpServletRequest request) throws Exception {
        Keys keys = (Keys) getServletContext().getAttribute("keys");
        String descriptor = value(request, "descriptor"), text = value(request, "content").strip();
        byte[] content = text.getBytes(StandardCharsets.UTF_8);

        return switch (value(request, "operation")) {
            case "sign" -> Base64.getMimeEncoder().encodeToString(keys.sign(descriptor, content));
            case "verify" -> keys.verify(descriptor, content, Base64.getMimeDecoder().decode(value(request, "signature")));
            case "encrypt" -> keys.encrypt(descriptor, content);
            case "decrypt" -> new String(keys.decrypt(descriptor, text), StandardCharsets.UTF_8);
            default -> throw new IllegalArgumentException("operation is sign, verify, encrypt or decrypt");
        };
    }

    private static String value(HttpServletRequest request, String name) {
        String value = request.getParameter(name);
        return value == null ? "" : value;
    }

    private static void answer(HttpServletRequest request, HttpServletResponse response, int status, String result)
            throws IOException {
        response.setStatus(status);
        response.setContentType("text/html; charset=UTF-8");
        response.getWriter().printf(PAGE, escape(value(request, "descriptor")), escape(value(request, "content")),
                escape(value(request, "signature")), escape(result));
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;");
    }
}
