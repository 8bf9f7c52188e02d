// SPDX-License-Identifier: Apache-2.0
/*
 * Signatures per second by SunPKCS11, the JDK's way to a token.
 *
 *   java Jce.java MODULE SLOT-ID PIN LABEL SETTING THREADS...
 *
 * Rows as bench.sh has them; what the engine reached is filled in there.
 */
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.Security;
import java.security.Signature;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

public class Jce {
    static final int TURNS = 5, TURN_MS = 700;

    static double turn(Provider provider, PrivateKey key, int threads) throws Exception {
        AtomicBoolean stop = new AtomicBoolean();
        AtomicLong count = new AtomicLong();
        Thread[] workers = new Thread[threads];
        long began = System.nanoTime();

        for (int i = 0; i < threads; i++) {
            workers[i] = new Thread(() -> {
                try {
                    Signature signature = Signature.getInstance("SHA256withRSA", provider);
                    byte[] data = new byte[51];

                    while (!stop.get()) {
                        signature.initSign(key);
                        signature.update(data);
                        signature.sign();
                        count.incrementAndGet();
                    }
                } catch (Exception e) {
                    throw new RuntimeException(e);
                }
            });
            workers[i].start();
        }
        Thread.sleep(TURN_MS);
        stop.set(true);
        for (Thread worker : workers)
            worker.join();
        return count.get() * 1e9 / (System.nanoTime() - began);
    }

    public static void main(String[] args) throws Exception {
        Path config = Files.createTempFile("jce", ".cfg");
        char[] pin = args[2].toCharArray();

        Files.writeString(config, "name = bench\nlibrary = " + args[0] + "\nslot = " + args[1] + "\n");
        Provider provider = Security.getProvider("SunPKCS11").configure(config.toString());
        Files.delete(config);
        KeyStore store = KeyStore.getInstance("PKCS11", provider);
        store.load(null, pin);
        PrivateKey key = (PrivateKey) store.getKey(args[3], null);

        for (int i = 5; i < args.length; i++) {
            int threads = Integer.parseInt(args[i]);
            double[] rates = new double[TURNS];

            turn(provider, key, threads);
            for (int j = 0; j < TURNS; j++)
                rates[j] = turn(provider, key, threads);
            Arrays.sort(rates);
            System.out.printf("%s\t%d\t%.0f%n", args[4], threads, rates[TURNS / 2]);
        }
    }
}
