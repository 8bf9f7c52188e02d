// SPDX-License-Identifier: Apache-2.0
import jakarta.servlet.ServletContextEvent;
import jakarta.servlet.ServletContextListener;
import jakarta.servlet.annotation.WebListener;
import java.nio.file.Path;
import org.signengine.Engine;
import org.signengine.Options;

/** An application that opens engines, which call it, and does not close them when it goes. */
@WebListener
public final class ForgetfulListener implements ServletContextListener {
    private Engine engine;

    @Override
    public void contextInitialized(ServletContextEvent event) {
        engine = Engine.open(Path.of(System.getProperty("signengine.config")), new Options().event(one -> engine.hashCode()));
        engine.sign("FileSigner", new byte[1]);
    }
}
