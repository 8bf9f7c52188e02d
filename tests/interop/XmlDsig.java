// SPDX-License-Identifier: Apache-2.0
import java.io.File;
import java.io.FileInputStream;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Collections;
import java.util.List;
import javax.xml.crypto.URIReferenceException;
import javax.xml.crypto.dsig.CanonicalizationMethod;
import javax.xml.crypto.dsig.Reference;
import javax.xml.crypto.dsig.SignedInfo;
import javax.xml.crypto.dsig.Transform;
import javax.xml.crypto.dsig.XMLSignature;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMSignContext;
import javax.xml.crypto.dsig.dom.DOMValidateContext;
import javax.xml.crypto.dsig.keyinfo.KeyInfo;
import javax.xml.crypto.dsig.keyinfo.KeyInfoFactory;
import javax.xml.crypto.dsig.spec.C14NMethodParameterSpec;
import javax.xml.crypto.dsig.spec.TransformParameterSpec;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * The JDK's XML signatures, secure validation on; each argument is a job, of words between spaces:
 * "verify FILE ID|-", "sign P12 IN OUT SIGNATURE-METHOD DIGEST C14N [ID|-]".  One line for each: good, bad or why.
 * With the argument "-" the jobs are the lines of the standard input.
 */
public class XmlDsig {
    private static final XMLSignatureFactory FACTORY = XMLSignatureFactory.getInstance("DOM");

    private static Document parse(String file) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        javax.xml.parsers.DocumentBuilder builder = factory.newDocumentBuilder();
        builder.setErrorHandler(null);
        return builder.parse(new File(file));
    }

    /** Returns the last one. */
    private static Element markIds(NodeList nodes, String id) {
        Element marked = null;
        for (int i = 0; i < nodes.getLength(); i++) {
            Element element = (Element) nodes.item(i);
            for (String name : List.of("Id", "ID", "id", "xml:id")) {
                if (element.hasAttribute(name) && element.getAttribute(name).equals(id)) {
                    element.setIdAttribute(name, true);
                    marked = element;
                }
            }
        }
        return marked;
    }

    private static String verify(String file, String id) throws Exception {
        Document document = parse(file);
        markIds(document.getElementsByTagName("*"), id);
        NodeList signatures = document.getElementsByTagNameNS(XMLSignature.XMLNS, "Signature");
        if (signatures.getLength() == 0) {
            return "no signature";
        }
        Element signature = (Element) signatures.item(0);
        Element text = (Element) signature.getElementsByTagNameNS(XMLSignature.XMLNS, "X509Certificate").item(0);
        byte[] der = java.util.Base64.getMimeDecoder().decode(text.getTextContent());
        X509Certificate certificate = (X509Certificate) java.security.cert.CertificateFactory.getInstance("X.509")
                .generateCertificate(new java.io.ByteArrayInputStream(der));
        DOMValidateContext context = new DOMValidateContext(certificate.getPublicKey(), signature);
        context.setProperty("org.jcp.xml.dsig.secureValidation", Boolean.TRUE);
        context.setBaseURI(new File(file).getAbsoluteFile().getParentFile().toURI().toString());
        if (id.equals("detached")) { // secure validation allows no file: URIs, so the bytes are brought along
            context.setURIDereferencer((reference, any) -> {
                try {
                    return new javax.xml.crypto.OctetStreamData(new FileInputStream(reference.getURI()));
                } catch (java.io.IOException e) {
                    throw new URIReferenceException(e);
                }
            });
        }
        return FACTORY.unmarshalXMLSignature(context).validate(context) ? "good" : "bad";
    }

    private static String sign(String[] words) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(new FileInputStream(words[1]), "1234".toCharArray());
        String alias = store.aliases().nextElement();
        Document document = parse(words[2]);
        List<Transform> transforms = List.of(FACTORY.newTransform(Transform.ENVELOPED, (TransformParameterSpec) null),
                FACTORY.newTransform(words[6], (TransformParameterSpec) null));
        boolean whole = words.length < 8 || words[7].equals("-");
        Element parent = whole ? document.getDocumentElement() : markIds(document.getElementsByTagName("*"), words[7]);
        Reference reference = FACTORY.newReference(whole ? "" : "#" + words[7], FACTORY.newDigestMethod(words[5], null), transforms, null, null);
        CanonicalizationMethod c14n = FACTORY.newCanonicalizationMethod(words[6], (C14NMethodParameterSpec) null);
        SignedInfo info = FACTORY.newSignedInfo(c14n, FACTORY.newSignatureMethod(words[4], null), Collections.singletonList(reference));
        KeyInfoFactory keys = FACTORY.getKeyInfoFactory();
        KeyInfo keyInfo = keys.newKeyInfo(List.of(keys.newX509Data(List.of(store.getCertificate(alias)))));
        PrivateKey key = (PrivateKey) store.getKey(alias, "1234".toCharArray());
        FACTORY.newXMLSignature(info, keyInfo).sign(new DOMSignContext(key, parent));
        TransformerFactory.newInstance().newTransformer().transform(new DOMSource(document), new StreamResult(new File(words[3])));
        return "good";
    }

    public static void main(String[] arguments) {
        List<String> jobs = List.of(arguments);
        if (jobs.equals(List.of("-"))) {
            java.nio.charset.Charset utf8 = java.nio.charset.StandardCharsets.UTF_8;
            jobs = new java.io.BufferedReader(new java.io.InputStreamReader(System.in, utf8)).lines().toList();
        }
        for (String job : jobs) {
            String[] words = job.split(" ");
            try {
                System.out.println(job + ": " + (words[0].equals("verify") ? verify(words[1], words[2]) : sign(words)));
            } catch (Exception e) {
                System.out.println(job + ": " + e.toString().replaceAll("\\s+", " "));
            }
        }
    }
}
