// SPDX-License-Identifier: Apache-2.0
// Evidence records (RFC 4998) with Bouncy Castle, as the lines of standard input say:
//     validate RECORD FILE...                  it is good, and about each of these and the group of them
//     strange RECORD FILE...                   it is good, and not about the first of these
//     make URL DIGEST RECORD FILE...           of the group of them
//     each URL DIGEST FOLDER FILE...           one for each, FOLDER/FILE.ers, under one time stamp
//     renew URL RECORD                         by another time stamp
//     rehash URL DIGEST RECORD FILE...         by another hash tree
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.operator.DigestCalculator;
import org.bouncycastle.operator.DigestCalculatorProvider;
import org.bouncycastle.operator.bc.BcDigestCalculatorProvider;
import org.bouncycastle.tsp.TimeStampRequest;
import org.bouncycastle.tsp.TimeStampRequestGenerator;
import org.bouncycastle.tsp.TimeStampResponse;
import org.bouncycastle.tsp.ers.ERSArchiveTimeStamp;
import org.bouncycastle.tsp.ers.ERSArchiveTimeStampGenerator;
import org.bouncycastle.tsp.ers.ERSByteData;
import org.bouncycastle.tsp.ers.ERSData;
import org.bouncycastle.tsp.ers.ERSDataGroup;
import org.bouncycastle.tsp.ers.ERSEvidenceRecord;
import org.bouncycastle.tsp.ers.ERSEvidenceRecordGenerator;

public class Evidence {
    static final DigestCalculatorProvider DIGESTS = new BcDigestCalculatorProvider();
    static final Date LATER = new Date(4102444800000L);

    static DigestCalculator digest(String name) throws Exception {
        ASN1ObjectIdentifier id = name.equals("SHA-256") ? NISTObjectIdentifiers.id_sha256
            : name.equals("SHA-384") ? NISTObjectIdentifiers.id_sha384 : NISTObjectIdentifiers.id_sha512;
        return DIGESTS.get(new AlgorithmIdentifier(id, DERNull.INSTANCE));
    }

    static TimeStampRequestGenerator requests() {
        TimeStampRequestGenerator generator = new TimeStampRequestGenerator();
        generator.setCertReq(true);
        return generator;
    }

    static TimeStampResponse ask(String url, TimeStampRequest query) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url)).header("Content-Type", "application/timestamp-query")
            .POST(HttpRequest.BodyPublishers.ofByteArray(query.getEncoded())).build();
        byte[] answer = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()
            .send(request, HttpResponse.BodyHandlers.ofByteArray()).body();
        TimeStampResponse response = new TimeStampResponse(answer);
        response.validate(query);
        return response;
    }

    static List<ERSData> read(List<String> names) throws Exception {
        List<ERSData> files = new ArrayList<>();
        for (String name : names)
            files.add(new ERSByteData(Files.readAllBytes(Path.of(name))));
        return files;
    }

    static ERSData group(List<String> names) throws Exception {
        List<ERSData> files = read(names);
        return files.size() == 1 ? files.get(0) : new ERSDataGroup(files);
    }

    static ERSEvidenceRecord record(String name) throws Exception {
        ERSEvidenceRecord record = new ERSEvidenceRecord(Files.readAllBytes(Path.of(name)), DIGESTS);
        record.validate(new JcaSimpleSignerInfoVerifierBuilder().build(record.getSigningCertificate()));
        return record;
    }

    static void validate(String name, List<String> files) throws Exception {
        ERSEvidenceRecord record = record(name);
        for (ERSData file : read(files))
            record.validatePresent(file, LATER);
        record.validatePresent(group(files), LATER);
    }

    static void write(String name, ERSArchiveTimeStamp stamp) throws Exception {
        Files.write(Path.of(name), new ERSEvidenceRecordGenerator(DIGESTS).generate(stamp).getEncoded());
    }

    static void make(String url, String digest, String name, List<String> files) throws Exception {
        ERSArchiveTimeStampGenerator generator = new ERSArchiveTimeStampGenerator(digest(digest));
        generator.addData(group(files));
        write(name, generator.generateArchiveTimeStamp(ask(url, generator.generateTimeStampRequest(requests()))));
    }

    static void each(String url, String digest, String folder, List<String> files) throws Exception {
        ERSArchiveTimeStampGenerator generator = new ERSArchiveTimeStampGenerator(digest(digest));
        for (ERSData file : read(files))
            generator.addData(file);
        List<ERSArchiveTimeStamp> stamps = generator.generateArchiveTimeStamps(ask(url, generator.generateTimeStampRequest(requests())));
        for (int i = 0; i < files.size(); i++)
            write(folder + "/" + files.get(i) + ".ers", stamps.get(i));
    }

    static void renew(String url, String name) throws Exception {
        ERSEvidenceRecord record = record(name);
        TimeStampResponse response = ask(url, record.generateTimeStampRenewalRequest(requests()));
        Files.write(Path.of(name), record.renewTimeStamp(response).getEncoded());
    }

    static void rehash(String url, String digest, String name, List<String> files) throws Exception {
        ERSEvidenceRecord record = record(name);
        ERSData group = group(files);
        TimeStampResponse response = ask(url, record.generateHashRenewalRequest(digest(digest), group, requests()));
        Files.write(Path.of(name), record.renewHash(digest(digest), group, response).getEncoded());
    }

    static void run(List<String> words) throws Exception {
        List<String> rest = words.subList(2, words.size());
        switch (words.get(0)) {
        case "validate": validate(words.get(1), rest); break;
        case "strange":
            if (record(words.get(1)).isContaining(read(rest).get(0), LATER))
                throw new Exception("it is about that file");
            break;
        case "make": make(words.get(1), rest.get(0), rest.get(1), rest.subList(2, rest.size())); break;
        case "each": each(words.get(1), rest.get(0), rest.get(1), rest.subList(2, rest.size())); break;
        case "renew": renew(words.get(1), rest.get(0)); break;
        case "rehash": rehash(words.get(1), rest.get(0), rest.get(1), rest.subList(2, rest.size())); break;
        default: throw new Exception("what?");
        }
    }

    public static void main(String[] args) throws Exception {
        boolean failed = false;
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine())
            try {
                run(Arrays.asList(line.split(" ")));
            } catch (Exception e) {
                System.err.println(line + ": " + e + (e.getCause() == null ? "" : ": " + e.getCause()));
                failed = true;
            }
        System.exit(failed ? 1 : 0);
    }
}
