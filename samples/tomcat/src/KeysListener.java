// SPDX-License-Identifier: Apache-2.0
import jakarta.servlet.ServletContextEvent;
import jakarta.servlet.ServletContextListener;
import jakarta.servlet.annotation.WebListener;
import java.io.IOException;

/** Opens the application's keys before its first request, and closes them behind its last. */
@WebListener
public final class KeysListener implements ServletContextListener {
    @Override
    public void contextInitialized(ServletContextEvent event) {
        event.getServletContext().setAttribute("keys", Keys.open());
    }

    @Override
    public void contextDestroyed(ServletContextEvent event) {
        if (event.getServletContext().getAttribute("keys") instanceof Keys keys)
            try {
                keys.close();
            } catch (IOException e) {
                event.getServletContext().log("closing the keys", e);
            }
    }
}
