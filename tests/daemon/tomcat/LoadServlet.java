// SPDX-License-Identifier: Apache-2.0
import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** /load?threads=16&times=5: so many threads sign, encrypt and decrypt so many times; the answer counts what went well, and what not. */
@WebServlet("/load")
public final class LoadServlet extends HttpServlet {
    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        Keys keys = (Keys) getServletContext().getAttribute("keys");
        int threads = Integer.parseInt(request.getParameter("threads"));
        int times = Integer.parseInt(request.getParameter("times"));
        Map<String, Integer> results = new TreeMap<>();
        List<Thread> running = new ArrayList<>();

        for (int i = 0; i < threads; i++) {
            Thread thread = new Thread(() -> {
                for (int n = 0; n < times; n++) {
                    String result = use(keys, Thread.currentThread().getName() + " " + n);
                    synchronized (results) {
                        results.merge(result, 1, Integer::sum);
                    }
                }
            });
            thread.start();
            running.add(thread);
        }
        for (Thread thread : running)
            try {
                thread.join();
            } catch (InterruptedException e) {
                results.merge("interrupted", 1, Integer::sum);
            }
        response.getWriter().println(results);
    }

    private static String use(Keys keys, String text) {
        try {
            byte[] content = text.getBytes();
            boolean signed = keys.sign("FileSigner", content).length > 256;
            boolean back = Arrays.equals(content, keys.decrypt("EncryptedFields", keys.encrypt("EncryptedFields", content)));
            return signed && back ? "good" : "wrong";
        } catch (Throwable e) {
            return e.toString();
        }
    }
}
