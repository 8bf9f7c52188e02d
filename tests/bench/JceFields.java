// SPDX-License-Identifier: Apache-2.0
/*
 * Encrypted fields as a Java program makes and reads them: Bouncy Castle does AES, HMAC and the encryption by RSA-OAEP, SunPKCS11 the
 * private key's part, which it has without a padding, so that Bouncy Castle's OAEP is around it.
 *
 *   java -cp BCPROV.jar JceFields.java MODULE SLOT-ID PIN LABEL HASH THREADS...
 *
 * A field has 64 bytes: a new data key, wrapped; AES-256-CBC and HMAC-SHA-256 with keys that HMAC makes of it; base64.
 * Rows: encrypt|decrypt, threads, how many in a second of the processor, how many in a second of the clock.
 */
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Security;
import java.security.spec.MGF1ParameterSpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.crypto.AsymmetricBlockCipher;
import org.bouncycastle.crypto.CipherParameters;
import org.bouncycastle.crypto.encodings.OAEPEncoding;
import org.bouncycastle.crypto.params.AsymmetricKeyParameter;
import org.bouncycastle.jcajce.provider.util.DigestFactory;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

public class JceFields {
    static final int TURNS = 5, TURN_MS = 700, FIELD = 64;
    static final Provider BC = new BouncyCastleProvider();

    /** The token's key as the block cipher that Bouncy Castle's OAEP wants. */
    static class TokenCipher implements AsymmetricBlockCipher {
        final Cipher cipher;
        final PrivateKey key;

        TokenCipher(Provider token, PrivateKey key) throws Exception {
            this.cipher = Cipher.getInstance("RSA/ECB/NoPadding", token);
            this.key = key;
        }

        public void init(boolean encrypt, CipherParameters unused) {
        }

        public int getInputBlockSize() {
            return 256;
        }

        public int getOutputBlockSize() {
            return 255;
        }

        public byte[] processBlock(byte[] in, int at, int size) {
            try {
                cipher.init(Cipher.DECRYPT_MODE, key);
                return Arrays.copyOfRange(cipher.doFinal(in, at, size), 1, 256); // as Bouncy Castle gives it: without the zero
            } catch (Exception e) {
                throw new RuntimeException(e);
            }
        }
    }

    /** What one thread works with. */
    static class Worker {
        final Cipher rsa, aes = Cipher.getInstance("AES/CBC/PKCS7Padding", BC);
        final Mac mac = Mac.getInstance("HmacSHA256", BC);
        final OAEPEncoding token;
        final SecureRandom random = new SecureRandom();

        Worker(Provider provider, PrivateKey key, PublicKey certified, String hash) throws Exception {
            rsa = Cipher.getInstance("RSA/ECB/OAEPPadding", BC);
            rsa.init(Cipher.ENCRYPT_MODE, certified,
                new OAEPParameterSpec(hash, "MGF1", new MGF1ParameterSpec(hash), PSource.PSpecified.DEFAULT));
            token = new OAEPEncoding(new TokenCipher(provider, key), DigestFactory.getDigest(hash));
            token.init(false, new AsymmetricKeyParameter(true));
        }

        byte[] derive(byte[] secret, String purpose) throws Exception {
            mac.init(new SecretKeySpec(secret, "HmacSHA256"));
            return mac.doFinal(purpose.getBytes());
        }

        byte[] tag(byte[] secret, byte[] value, int size) throws Exception {
            mac.init(new SecretKeySpec(derive(secret, "tag"), "HmacSHA256"));
            mac.update(value, 0, size);
            return mac.doFinal();
        }

        byte[] encrypt(byte[] field) throws Exception {
            byte[] secret = new byte[32], iv = new byte[16];

            random.nextBytes(secret);
            random.nextBytes(iv);
            aes.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(derive(secret, "cipher"), "AES"), new IvParameterSpec(iv));
            byte[] value = ByteBuffer.allocate(256 + 16 + 80 + 32).put(rsa.doFinal(secret)).put(iv).put(aes.doFinal(field)).array();
            System.arraycopy(tag(secret, value, value.length - 32), 0, value, value.length - 32, 32);
            return Base64.getEncoder().encode(value);
        }

        byte[] decrypt(byte[] text) throws Exception {
            byte[] value = Base64.getDecoder().decode(text), secret = token.processBlock(value, 0, 256);

            if (!MessageDigest.isEqual(tag(secret, value, value.length - 32), Arrays.copyOfRange(value, value.length - 32, value.length)))
                throw new IllegalStateException("the tag");
            aes.init(Cipher.DECRYPT_MODE, new SecretKeySpec(derive(secret, "cipher"), "AES"), new IvParameterSpec(value, 256, 16));
            return aes.doFinal(value, 272, value.length - 272 - 32);
        }
    }

    interface Work {
        void once(Worker worker) throws Exception;
    }

    interface Maker {
        Worker make() throws Exception;
    }

    static long processor() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }

    static double[] turn(Maker maker, Work work, int threads) throws Exception {
        AtomicBoolean stop = new AtomicBoolean();
        AtomicLong count = new AtomicLong();
        Thread[] workers = new Thread[threads];
        long began = System.nanoTime(), used = processor();

        for (int i = 0; i < threads; i++) {
            Worker worker = maker.make();

            workers[i] = new Thread(() -> {
                try {
                    while (!stop.get()) {
                        work.once(worker);
                        count.incrementAndGet();
                    }
                } catch (Exception e) {
                    e.printStackTrace();
                    System.exit(1);
                }
            });
            workers[i].start();
        }
        Thread.sleep(TURN_MS);
        stop.set(true);
        for (Thread worker : workers)
            worker.join();
        return new double[] {count.get() * 1e9 / (processor() - used), count.get() * 1e9 / (System.nanoTime() - began)};
    }

    static void measure(String what, Maker maker, Work work, int threads) throws Exception {
        double[] clock = new double[TURNS], processor = new double[TURNS];

        turn(maker, work, threads);
        turn(maker, work, threads);
        for (int i = 0; i < TURNS; i++) {
            double[] rates = turn(maker, work, threads);

            processor[i] = rates[0];
            clock[i] = rates[1];
        }
        Arrays.sort(processor);
        Arrays.sort(clock);
        System.out.printf("%s\t%d\t%.0f\t%.0f%n", what, threads, processor[TURNS / 2], clock[TURNS / 2]);
    }

    public static void main(String[] args) throws Exception {
        Path config = Files.createTempFile("jce", ".cfg");

        Files.writeString(config, "name = bench\nlibrary = " + args[0] + "\nslot = " + args[1] + "\n");
        Provider provider = Security.getProvider("SunPKCS11").configure(config.toString());
        Files.delete(config);
        KeyStore store = KeyStore.getInstance("PKCS11", provider);
        store.load(null, args[2].toCharArray());
        PrivateKey key = (PrivateKey) store.getKey(args[3], null);
        PublicKey certified = store.getCertificate(args[3]).getPublicKey();
        byte[] field = Arrays.copyOf("a secret field".getBytes(), FIELD);
        Maker maker = () -> new Worker(provider, key, certified, args[4]);
        byte[] value = maker.make().encrypt(field);

        if (!Arrays.equals(maker.make().decrypt(value), field))
            throw new IllegalStateException("it does not come back");
        for (int i = 5; i < args.length; i++) {
            int threads = Integer.parseInt(args[i]);

            measure("encrypt", maker, worker -> worker.encrypt(field), threads);
            measure("decrypt", maker, worker -> worker.decrypt(value), threads);
        }
    }
}
