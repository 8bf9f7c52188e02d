// SPDX-License-Identifier: Apache-2.0
// Microsoft's own client judges the emulator: node client.mjs vault|hsm, with the environment of azure.sh.
// Each line is "ok NAME" or "FAILED NAME"; the last one counts.
import { KeyClient, CryptographyClient } from '@azure/keyvault-keys';
import { CertificateClient } from '@azure/keyvault-certificates';
import { ClientSecretCredential, ClientCertificateCredential, ClientAssertionCredential } from '@azure/identity';
import crypto from 'node:crypto';
import dns from 'node:dns';
import fs from 'node:fs';
import { execFileSync } from 'node:child_process';

const mode = process.argv[2];
const { VAULT, AUTHORITY, TENANT, CLIENT, SECRET, RESOURCE, EMULATED, EMULATOR } = process.env;
const hsm = mode === 'hsm';
const fast = { intervalInMs: 20 };
let passed = 0, failed = 0;

// names below .localhost are this machine: so the client's check of the challenge's resource stays switched on
const lookup = dns.lookup;
dns.lookup = (host, options, done) => lookup(host.endsWith('.localhost') ? '127.0.0.1' : host, options, done);

function check(name, good) {
    console.log(good ? 'ok' : 'FAILED', name);
    if (good) passed++; else failed++;
}

async function attempt(name, work) {
    try {
        check(name, await work());
    } catch (error) {
        console.log(String(error.stack).split('\n').slice(0, 3).join(' | '));
        check(name, false);
    }
}

// what must be refused, with this status and code
async function refused(name, status, code, work) {
    try {
        await work();
        check(name, false);
    } catch (error) {
        const good = error.statusCode === status && error.code === code;
        if (!good) console.log(error.statusCode, error.code, error.message);
        check(name, good);
    }
}

const control = (...words) => execFileSync(EMULATOR, ['--control', `${EMULATED}/control`, ...words], { encoding: 'utf8' });
const tls = { authorityHost: AUTHORITY, disableInstanceDiscovery: true };
const credential = new ClientSecretCredential(TENANT, CLIENT, SECRET, tls);
const keys = new KeyClient(VAULT, credential);
const cryptographer = key => new CryptographyClient(key, credential);
const same = (a, b) => Buffer.from(a).equals(Buffer.from(b));
const data = Buffer.from('signed by an emulator');

function publicKey(key) {
    const jwk = { kty: key.keyType.replace('-HSM', '') };
    for (const name of ['n', 'e', 'x', 'y']) if (key.key[name]) jwk[name] = Buffer.from(key.key[name]).toString('base64url');
    if (key.key.crv) jwk.crv = key.key.crv === 'P-256K' ? 'secp256k1' : key.key.crv;
    return crypto.createPublicKey({ key: jwk, format: 'jwk' });
}

function verifies(algorithm, key, signature) {
    const bits = algorithm.slice(2, 5);
    const options = { key: publicKey(key) };
    if (algorithm[0] === 'E') options.dsaEncoding = 'ieee-p1363';
    else options.padding = algorithm[0] === 'P' ? crypto.constants.RSA_PKCS1_PSS_PADDING : crypto.constants.RSA_PKCS1_PADDING;
    if (algorithm[0] === 'P') options.saltLength = Number(bits) / 8;
    return crypto.verify('sha' + bits, data, options, Buffer.from(signature));
}

const digest = algorithm => crypto.createHash('sha' + algorithm.slice(2, 5)).update(data).digest();

async function all(pages) {
    const list = [];
    for await (const item of pages) list.push(item);
    return list;
}

async function useRsa() {
    const size = { rsa2: 2048, rsa3: 3072, rsa4: 4096 };
    for (const name of Object.keys(size)) {
        let key;
        await attempt(`create ${name}`, async () => {
            key = await keys.createRsaKey(name, { keySize: size[name], tags: { a: 'b' } });
            return key.keyType === (hsm ? 'RSA-HSM' : 'RSA') && key.key.n.length === size[name] / 8 && key.properties.tags.a === 'b';
        });
        for (const algorithm of ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'])
            await attempt(`sign ${name} ${algorithm}`, async () => {
                const made = await cryptographer(key).signData(algorithm, data);
                // verify, not verifyData: that the client does by itself, and takes PS256 for RS256
                const remote = await cryptographer(key).verify(algorithm, digest(algorithm), made.result);
                const wrong = await cryptographer(key).verify(algorithm, Buffer.alloc(digest(algorithm).length), made.result);
                return made.keyID === key.id && verifies(algorithm, key, made.result) && remote.result && !wrong.result;
            });
        for (const algorithm of ['RSA1_5', 'RSA-OAEP', 'RSA-OAEP-256']) {
            await attempt(`wrap ${name} ${algorithm}`, async () => {
                const wrapped = await cryptographer(key).wrapKey(algorithm, Buffer.alloc(32, 7));
                return same((await cryptographer(key).unwrapKey(algorithm, wrapped.result)).result, Buffer.alloc(32, 7));
            });
            await attempt(`encrypt ${name} ${algorithm}`, async () => {
                const made = await cryptographer(key.id).encrypt({ algorithm, plaintext: data });
                return same((await cryptographer(key).decrypt({ algorithm, ciphertext: made.result })).result, data);
            });
        }
    }
}

async function useEc() {
    for (const [name, curve, algorithm] of [['ec2', 'P-256', 'ES256'], ['ec3', 'P-384', 'ES384'], ['ec5', 'P-521', 'ES512'],
        ['eck', 'P-256K', 'ES256K']]) {
        await attempt(`EC ${curve}`, async () => {
            const key = await keys.createEcKey(name, { curve });
            const made = await cryptographer(key).signData(algorithm, data);
            return key.keyType === (hsm ? 'EC-HSM' : 'EC') && verifies(algorithm, key, made.result) &&
                (await cryptographer(key).verify(algorithm, digest(algorithm), made.result)).result;
        });
    }
    await refused('a digest that the curve does not take', 400, 'BadParameter',
        async () => cryptographer(await keys.getKey('ec2')).sign('ES384', Buffer.alloc(48)));
}

async function useAes() {
    for (const [algorithm, size] of [['A128GCM', 128], ['A256GCM', 256], ['A256CBCPAD', 256]]) {
        await attempt(`AES ${algorithm}`, async () => {
            const key = await keys.createOctKey('aes' + algorithm.toLowerCase(), { keySize: size, hsm: true });
            const gcm = algorithm.endsWith('GCM');
            const additional = gcm ? { additionalAuthenticatedData: Buffer.from('aad') } : {};
            const made = await cryptographer(key).encrypt({ algorithm, plaintext: data, ...additional, ...(gcm ? {} : { iv: Buffer.alloc(16, 1) }) });
            const opened = await cryptographer(key).decrypt({ algorithm, ciphertext: made.result, iv: made.iv ?? Buffer.alloc(16, 1),
                ...(gcm ? { authenticationTag: made.authenticationTag, ...additional } : {}) });
            return same(opened.result, data);
        });
    }
    await attempt('AES A256KW', async () => {
        const key = await keys.createOctKey('aeskw', { keySize: 256, hsm: true });
        const wrapped = await cryptographer(key).wrapKey('A256KW', Buffer.alloc(32, 9));
        return same((await cryptographer(key).unwrapKey('A256KW', wrapped.result)).result, Buffer.alloc(32, 9));
    });
    await attempt('random bytes', async () => (await keys.getRandomBytes(100)).length === 100);
}

async function useVersions() {
    let first;
    await attempt('get the newest, and one version', async () => {
        first = await keys.createRsaKey('old');
        const second = await keys.createRsaKey('old');
        return (await keys.getKey('old')).properties.version === second.properties.version &&
            (await keys.getKey('OLD', { version: first.properties.version })).properties.version === first.properties.version;
    });
    await attempt('versions', async () => (await all(keys.listPropertiesOfKeyVersions('old'))).length === 2);
    await attempt('rotate, by policy, with an end', async () => {
        await keys.updateKeyRotationPolicy('old', { lifetimeActions: [{ action: 'Rotate', timeAfterCreate: 'P30D' }], expiresIn: 'P90D' });
        const policy = await keys.getKeyRotationPolicy('old');
        const key = await keys.rotateKey('old');
        const days = (key.properties.expiresOn - new Date()) / 86400000;
        return policy.expiresIn === 'P90D' && key.properties.version !== first.properties.version && days > 89 && days < 91 &&
            (await all(keys.listPropertiesOfKeyVersions('old'))).length === 3;
    });
    await attempt('update', async () => {
        const expiresOn = new Date(1900000000000);
        const key = await keys.updateKeyProperties('old', first.properties.version, { enabled: false, tags: { x: 'y' }, expiresOn, keyOps: ['sign'] });
        return key.properties.enabled === false && key.properties.tags.x === 'y' && +key.properties.expiresOn === +expiresOn &&
            key.keyOperations.join() === 'sign';
    });
    await refused('sign with a disabled version', 403, 'Forbidden',
        async () => new CryptographyClient(first.id, credential).sign('PS256', Buffer.alloc(32)));
    await attempt('list, over empty pages', async () => {
        for (let i = 0; i < 30; i++) await keys.createEcKey(`many-${i}`);
        const names = (await all(keys.listPropertiesOfKeys())).map(key => key.name);
        return names.length === new Set(names).size && names.filter(name => name.startsWith('many-')).length === 30;
    });
}

async function useLife() {
    let key;
    await attempt('delete, recover', async () => {
        key = await keys.createRsaKey('lost');
        const deleted = await (await keys.beginDeleteKey('lost', fast)).pollUntilDone();
        const back = await (await keys.beginRecoverDeletedKey('lost', fast)).pollUntilDone();
        return deleted.properties.recoveryId.endsWith('/deletedkeys/lost') && deleted.properties.deletedOn instanceof Date &&
            back.properties.version === key.properties.version;
    });
    let blob;
    await attempt('backup, delete, purge', async () => {
        blob = await keys.backupKey('lost');
        await (await keys.beginDeleteKey('lost', fast)).pollUntilDone();
        const listed = (await all(keys.listDeletedKeys())).some(entry => entry.name === 'lost');
        await keys.purgeDeletedKey('lost');
        return listed && blob.length > 100;
    });
    await refused('get what is gone', 404, 'KeyNotFound', () => keys.getKey('lost'));
    await attempt('restore', async () => {
        for (let i = 0; i < 100; i++) {
            try {
                const back = await keys.restoreKeyBackup(blob);
                return back.properties.version === key.properties.version && same(back.key.n, key.key.n);
            } catch (error) {
                if (error.statusCode !== 409) throw error;
                await new Promise(done => setTimeout(done, 20));
            }
        }
        return false;
    });
    await refused('restore again', 409, 'Conflict', () => keys.restoreKeyBackup(blob));
    await refused('restore what is no backup', 400, hsm ? 'MalformedBackupBlob' : 'Malformed backup blob', () => keys.restoreKeyBackup(Buffer.from('doesnotexist')));
    await attempt('import RSA', async () => {
        const pair = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
        const jwk = pair.privateKey.export({ format: 'jwk' });
        const given = { kty: 'RSA' };
        for (const name of ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi']) given[name] = Buffer.from(jwk[name], 'base64url');
        const imported = await keys.importKey('imported', given, { hardwareProtected: true });
        const made = await cryptographer(imported).signData('PS256', data);
        return imported.keyType === 'RSA-HSM' && crypto.verify('sha256', data, { key: pair.publicKey, padding: crypto.constants.RSA_PKCS1_PSS_PADDING },
            Buffer.from(made.result));
    });
    await attempt('import EC', async () => {
        const pair = crypto.generateKeyPairSync('ec', { namedCurve: 'P-384' });
        const jwk = pair.privateKey.export({ format: 'jwk' });
        const given = { kty: 'EC', crv: 'P-384' };
        for (const name of ['x', 'y', 'd']) given[name] = Buffer.from(jwk[name], 'base64url');
        const imported = await keys.importKey('imported-ec', given);
        const made = await cryptographer(imported).signData('ES384', data);
        return crypto.verify('sha384', data, { key: pair.publicKey, dsaEncoding: 'ieee-p1363' }, Buffer.from(made.result));
    });
}

async function useLogins() {
    const folder = process.cwd();
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'client.key', '-out', 'client.crt', '-subj', '/CN=client',
        '-config', '/dev/null'], { stdio: 'ignore' });
    fs.writeFileSync('client.pem', fs.readFileSync('client.key', 'utf8') + fs.readFileSync('client.crt', 'utf8'));
    const byCertificate = () => new KeyClient(VAULT, new ClientCertificateCredential(TENANT, CLIENT, { certificatePath: `${folder}/client.pem` }, tls));
    const getAny = client => client.getKey('ec2');
    await attempt('a certificate that is not registered', async () => {
        try { await getAny(byCertificate()); return false; } catch (error) { return /AADSTS700027/.test(error.message); }
    });
    control('register-certificate', CLIENT, `${folder}/client.crt`);
    await attempt('a registered certificate', async () => (await getAny(byCertificate())).name === 'ec2');
    await attempt('a wrong secret', async () => {
        try { await getAny(new KeyClient(VAULT, new ClientSecretCredential(TENANT, CLIENT, 'wrong', tls))); return false; }
        catch (error) { return /AADSTS7000215/.test(error.message); }
    });
    fs.writeFileSync('federated', 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwb2QifQ.c2lnbmVk');
    control('federated', CLIENT, `${folder}/federated`);
    await attempt('a federated assertion', async () => (await getAny(new KeyClient(VAULT,
        new ClientAssertionCredential(TENANT, CLIENT, async () => fs.readFileSync('federated', 'utf8'), tls)))).name === 'ec2');
    await attempt('the resource check of the client holds', async () => {
        try { await new KeyClient(AUTHORITY.replace(/:\d+$/, VAULT.match(/:\d+$/)[0]), credential).getKey('ec2'); return false; }
        catch (error) { return /does not match the requested domain/.test(error.message); }
    });
    await attempt('a new token after the old one was revoked', async () => {
        await getAny(keys);
        control('revoke');
        return (await getAny(new KeyClient(VAULT, new ClientSecretCredential(TENANT, CLIENT, SECRET, tls)))).name === 'ec2';
    });
}

async function useCertificates() {
    const certificates = new CertificateClient(VAULT, credential);
    const policy = { issuerName: 'Self', subject: 'CN=self' };
    let made;
    await attempt('certificate: self-signed', async () => {
        made = await (await certificates.beginCreateCertificate('self', policy, fast)).pollUntilDone();
        const x509 = new crypto.X509Certificate(Buffer.from(made.cer));
        const signed = await cryptographer(made.keyId).signData('RS256', data);
        return x509.verify(x509.publicKey) && x509.subject === 'CN=self' && crypto.verify('sha256', data, x509.publicKey, Buffer.from(signed.result)) &&
            x509.keyUsage.join() === '1.3.6.1.5.5.7.3.1,1.3.6.1.5.5.7.3.2';
    });
    await attempt('certificate: EC, key usage, names', async () => {
        const one = await (await certificates.beginCreateCertificate('ec', { issuerName: 'Self', subject: 'CN=ec', keyType: 'EC', keyCurveName: 'P-384',
            keyUsage: ['digitalSignature'], enhancedKeyUsage: [], subjectAlternativeNames: { dnsNames: ['a.example'] }, exportable: false }, fast)).pollUntilDone();
        const x509 = new crypto.X509Certificate(Buffer.from(one.cer));
        const key = await keys.getKey('ec');
        return x509.subjectAltName === 'DNS:a.example' && !x509.keyUsage && key.keyOperations.join() === 'sign,verify' && key.properties.managed === true;
    });
    await attempt('certificate: CSR and merge', async () => {
        const poller = await certificates.beginCreateCertificate('outside', { issuerName: 'Unknown', subject: 'CN=outside' }, fast);
        poller.stopPolling();
        const operation = (await certificates.getCertificateOperation('outside', fast)).getOperationState().certificateOperation;
        fs.writeFileSync('request', operation.csr);
        execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=CA', '-config',
            '/dev/null'], { stdio: 'ignore' });
        execFileSync('openssl', ['req', '-inform', 'der', '-in', 'request', '-verify', '-out', 'request.pem'], { stdio: 'ignore' });
        execFileSync('openssl', ['x509', '-req', '-in', 'request.pem', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-set_serial', '1', '-days', '9', '-outform',
            'der', '-out', 'answer'], { stdio: 'ignore' });
        const merged = await certificates.mergeCertificate('outside', [fs.readFileSync('answer')]);
        return same(merged.cer, fs.readFileSync('answer')) && (await certificates.getCertificate('outside')).keyId === merged.keyId;
    });
    await refused('certificate: merge of another key', 400, 'BadParameter', async () => {
        const poller = await certificates.beginCreateCertificate('outside2', { issuerName: 'Unknown', subject: 'CN=outside2' }, fast);
        poller.stopPolling();
        await certificates.mergeCertificate('outside2', [fs.readFileSync('answer')]);
    });
    execFileSync('openssl', ['pkcs12', '-export', '-inkey', 'ca.key', '-in', 'ca.crt', '-passout', 'pass:p', '-out', 'ca.pfx']);
    await attempt('certificate: import PFX', async () => {
        const imported = await certificates.importCertificate('pfx', fs.readFileSync('ca.pfx'), { password: 'p' });
        const x509 = new crypto.X509Certificate(fs.readFileSync('ca.crt'));
        return same(imported.cer, x509.raw) && imported.policy.subject === 'CN=CA';
    });
    await attempt('certificate: import PEM', async () => {
        const imported = await certificates.importCertificate('pem', Buffer.from(fs.readFileSync('ca.key', 'utf8') + fs.readFileSync('ca.crt', 'utf8')),
            { policy: { contentType: 'application/x-pem-file' } });
        return same(imported.cer, new crypto.X509Certificate(fs.readFileSync('ca.crt')).raw);
    });
    await attempt('certificate: versions', async () => {
        const second = await (await certificates.beginCreateCertificate('self', policy, fast)).pollUntilDone();
        const first = await certificates.getCertificateVersion('self', made.properties.version);
        return second.properties.version !== made.properties.version && same(first.cer, made.cer) &&
            (await all(certificates.listPropertiesOfCertificateVersions('self'))).length === 2;
    });
    await attempt('certificate: list', async () => (await all(certificates.listPropertiesOfCertificates())).length === 6);
    await attempt('certificate: policy', async () => {
        // what this returns is empty, whatever the answer was
        await certificates.updateCertificatePolicy('self', { issuerName: 'Self', subject: 'CN=changed' });
        const read = await certificates.getCertificatePolicy('self');
        return read.subject === 'CN=changed' && read.issuerName === 'Self';
    });
    await attempt('certificate: update', async () =>
        (await certificates.updateCertificateProperties('self', made.properties.version, { tags: { x: 'y' } })).properties.tags.x === 'y');
    let blob;
    await attempt('certificate: delete, recover', async () => {
        blob = await certificates.backupCertificate('self');
        await (await certificates.beginDeleteCertificate('self', fast)).pollUntilDone();
        const back = await (await certificates.beginRecoverDeletedCertificate('self', fast)).pollUntilDone();
        return back.name === 'self' && blob.length > 100;
    });
    await attempt('certificate: purge, restore', async () => {
        await (await certificates.beginDeleteCertificate('self', fast)).pollUntilDone();
        await certificates.purgeDeletedCertificate('self');
        await new Promise(done => setTimeout(done, 500));
        const back = await certificates.restoreCertificateBackup(blob);
        return same((await certificates.getCertificateVersion('self', made.properties.version)).cer, made.cer) && back.name === 'self';
    });
    await refused('a key that a certificate has', 403, 'Forbidden', () => keys.beginDeleteKey('self', fast));
}

await useRsa();
await useEc();
if (hsm) await useAes();
await useVersions();
await useLife();
if (!hsm) await useCertificates();
await useLogins(); // the last one: the credential keeps its token, though that is revoked
console.log(`${mode}: ${passed} passed, ${failed} failed, ${RESOURCE}`);
process.exitCode = failed ? 1 : 0;
