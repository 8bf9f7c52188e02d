// SPDX-License-Identifier: Apache-2.0
import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLong;
import com.sun.jna.Pointer;
import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.security.AuthProvider;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.Security;
import java.security.Signature;

/**
 * An application that uses the token's library by itself, as inconsiderate as some are: /logout?times=5 signs by SunPKCS11 and logs
 * out, /finalize?times=5 calls C_Finalize and C_Initialize.
 */
@WebServlet({ "/logout", "/finalize" })
public final class NeighbourServlet extends HttpServlet {
    interface Token extends Library {
        NativeLong C_Finalize(Pointer reserved);

        NativeLong C_Initialize(Pointer arguments);
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        int times = Integer.parseInt(request.getParameter("times"));
        String result = "good";

        try {
            for (int i = 0; i < times; i++)
                if (request.getServletPath().equals("/logout"))
                    signAndLogOut();
                else
                    finalizeToken();
        } catch (Exception e) {
            result = e + " " + e.getCause();
        }
        response.getWriter().println(result);
    }

    private static void signAndLogOut() throws Exception {
        Provider provider = Security.getProvider("SunPKCS11").configure("--name=neighbour\nlibrary="
                + System.getProperty("token.library") + "\nslot=" + System.getProperty("token.slot") + "\n");
        KeyStore store = KeyStore.getInstance("PKCS11", provider);
        store.load(null, "1234".toCharArray());
        Signature signature = Signature.getInstance("SHA256withRSA", provider);
        signature.initSign((PrivateKey) store.getKey("signer", null));
        signature.update(new byte[32]);
        signature.sign();
        ((AuthProvider) provider).logout();
    }

    private static void finalizeToken() throws Exception {
        Token token = Native.load(System.getProperty("token.library"), Token.class);
        long ended = token.C_Finalize(null).longValue();
        long begun = token.C_Initialize(null).longValue();
        if (begun != 0)
            throw new IllegalStateException("C_Finalize " + ended + ", C_Initialize " + begun);
    }
}
