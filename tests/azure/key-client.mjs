// SPDX-License-Identifier: Apache-2.0
// Microsoft's own client beside ours, with the environment of azure.sh: node key-client.mjs COMMAND...
//   make-key NAME, make-certificate NAME   new ones
//   sign-key NAME FILE        PS256 of FILE with the key; the client itself and node verify it; prints the signature in base64
//   sign-certificate NAME FILE   the same with the certificate's key; verified with the certificate
//   describe-key NAME, describe-certificate NAME   what it says of them, as JSON
//   merge NAME FILE...        certificates in DER for the pending request
//   delete NAME, recover NAME, purge NAME   until it is done
//   backup NAME FILE, restore NAME FILE   the vault's own bytes
//   rotate NAME               prints the new version
import { KeyClient, CryptographyClient } from '@azure/keyvault-keys';
import { CertificateClient } from '@azure/keyvault-certificates';
import { ClientSecretCredential } from '@azure/identity';
import crypto from 'node:crypto';
import dns from 'node:dns';
import fs from 'node:fs';

const { VAULT, AUTHORITY, TENANT, CLIENT, SECRET } = process.env;
const [command, name, ...files] = process.argv.slice(2);

// names below .localhost are this machine: so the client's check of the challenge's resource stays switched on
const lookup = dns.lookup;
dns.lookup = (host, options, done) => lookup(host.endsWith('.localhost') ? '127.0.0.1' : host, options, done);

const credential = new ClientSecretCredential(TENANT, CLIENT, SECRET, { authorityHost: AUTHORITY, disableInstanceDiscovery: true });
const keys = new KeyClient(VAULT, credential);
const certificates = new CertificateClient(VAULT, credential);

async function sign(id, publicKey) {
    const data = fs.readFileSync(files[0]);
    const { result } = await new CryptographyClient(id, credential).signData('PS256', data);
    const options = { key: publicKey, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
    if (!crypto.verify('sha256', data, options, Buffer.from(result))) throw new Error('its signature does not verify');
    console.log(Buffer.from(result).toString('base64'));
}

function publicKey(key) {
    return crypto.createPublicKey({ format: 'jwk', key: {
        kty: 'RSA', n: Buffer.from(key.key.n).toString('base64url'), e: Buffer.from(key.key.e).toString('base64url') } });
}

const commands = {
    async 'make-key'() {
        await keys.createRsaKey(name, { keySize: 2048, hsm: true });
    },
    async 'make-certificate'() {
        const policy = { issuerName: 'Self', subject: `CN=${name}`, keySize: 2048, exportable: false, keyUsage: ['digitalSignature'] };
        await (await certificates.beginCreateCertificate(name, policy, { intervalInMs: 20 })).pollUntilDone();
    },
    async 'sign-key'() {
        const key = await keys.getKey(name);
        await sign(key.id, publicKey(key));
    },
    async 'sign-certificate'() {
        const certificate = await certificates.getCertificate(name);
        await sign(certificate.keyId, new crypto.X509Certificate(Buffer.from(certificate.cer)).publicKey);
    },
    async 'describe-key'() {
        const key = await keys.getKey(name);
        const { enabled, exportable, expiresOn, managed } = key.properties;
        console.log(JSON.stringify({ type: key.keyType, operations: [...key.keyOperations].sort(), enabled, exportable, expires: !!expiresOn, managed: !!managed }));
    },
    async 'describe-certificate'() {
        const { policy } = await certificates.getCertificate(name);
        console.log(JSON.stringify({ issuer: policy.issuerName, subject: policy.subject, exportable: policy.exportable, reuse: policy.reuseKey,
            type: policy.keyType, usage: policy.keyUsage, purposes: policy.enhancedKeyUsage ?? [], months: policy.validityInMonths }));
    },
    async delete() {
        await (await keys.beginDeleteKey(name, { intervalInMs: 20 })).pollUntilDone();
    },
    async recover() {
        await (await keys.beginRecoverDeletedKey(name, { intervalInMs: 20 })).pollUntilDone();
    },
    async purge() {
        await keys.purgeDeletedKey(name);
    },
    async backup() {
        fs.writeFileSync(files[0], await keys.backupKey(name));
    },
    async restore() {
        const restored = await keys.restoreKeyBackup(fs.readFileSync(files[0]));
        if (restored.name !== name) throw new Error(`it restored ${restored.name}`);
    },
    async rotate() {
        console.log((await keys.rotateKey(name)).properties.version);
    },
    async merge() {
        await certificates.mergeCertificate(name, files.map(file => fs.readFileSync(file)));
    },
};
await commands[command]();
