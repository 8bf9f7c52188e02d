// SPDX-License-Identifier: Apache-2.0
// judge.mjs MODULES verify|sign [ALGORITHM...]: npm's jose and node-jose, as judge.py; besides compact, flattened and general there are
// "detached" (compact) and "unencoded" (flattened and detached, RFC 7797)
import { createPrivateKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [modules, what, ...algorithms] = process.argv.slice(2);
const require = createRequire(pathToFileURL(modules + '/x'));
const jose = await import(pathToFileURL(modules + '/jose/' + require('jose/package.json').exports['.'].default));
const nodeJose = require('node-jose');
const payload = readFileSync('payload');

const equal = (bytes) => {
    if (Buffer.compare(Buffer.from(bytes), payload)) throw new Error('another payload');
};

async function withJose(algorithm, form, text, set) {
    const options = { algorithms: [algorithm] };
    if (form === 'compact') return equal((await jose.compactVerify(text, set, options)).payload);
    if (form === 'detached') {
        const [header, , signature] = text.split('.');
        return equal((await jose.flattenedVerify({ protected: header, payload: payload.toString('base64url'), signature }, set, options)).payload);
    }
    const parts = JSON.parse(text);
    if (form === 'unencoded') parts.payload = payload;
    const check = form === 'general' ? jose.generalVerify : jose.flattenedVerify;
    return equal((await check(parts, set, options)).payload);
}

async function withNodeJose(algorithm, form, text, store) {
    const verifier = nodeJose.JWS.createVerify(store, { algorithms: [algorithm] });
    return equal((await verifier.verify(form === 'compact' ? text : JSON.parse(text))).payload);
}

async function verify() {
    const keys = JSON.parse(readFileSync('keys.json'));
    const set = jose.createLocalJWKSet(keys);
    const store = await nodeJose.JWK.asKeyStore(keys);
    for (const key of keys.keys)
        if (await jose.calculateJwkThumbprint(key) !== key.kid) throw new Error('kid is not the thumbprint');
    for (const line of readFileSync(0, 'utf8').trim().split('\n')) {
        const [algorithm, form, file] = line.split(' ');
        const text = readFileSync(file, 'utf8');
        await withJose(algorithm, form, text, set);
        console.log('jose', file);
        if (form === 'detached' || form === 'unencoded') continue;
        await withNodeJose(algorithm, form, text, store);
        console.log('node-jose', file);
    }
}

async function signWithJose(algorithm, key) {
    const header = { alg: algorithm };
    const name = (form) => `theirs/jose-${algorithm}-${form}`;
    writeFileSync(name('compact'), await new jose.CompactSign(payload).setProtectedHeader(header).sign(key));
    writeFileSync(name('flattened'), JSON.stringify(await new jose.FlattenedSign(payload).setProtectedHeader(header).sign(key)));
    writeFileSync(name('general'), JSON.stringify(await new jose.GeneralSign(payload).addSignature(key).setProtectedHeader(header).sign()));
    const bare = { alg: algorithm, b64: false, crit: ['b64'] };
    const parts = await new jose.FlattenedSign(payload).setProtectedHeader(bare).sign(key);
    writeFileSync(name('unencoded'), JSON.stringify({ protected: parts.protected, signature: parts.signature }));
    const [start, , end] = (await new jose.CompactSign(payload).setProtectedHeader(header).sign(key)).split('.');
    writeFileSync(name('detached'), `${start}..${end}`);
}

async function signWithNodeJose(algorithm, pem) {
    const key = await nodeJose.JWK.asKey(pem, 'pem', { alg: algorithm });
    for (const format of ['compact', 'flattened', 'general']) {
        const signer = nodeJose.JWS.createSign({ format, fields: { alg: algorithm }, protect: '*' }, { key, reference: false });
        const made = await signer.update(payload).final();
        writeFileSync(`theirs/node-jose-${algorithm}-${format}`, format === 'compact' ? made : JSON.stringify(made));
    }
}

async function sign() {
    for (const algorithm of algorithms) {
        const pem = readFileSync(algorithm + '.key');
        await signWithJose(algorithm, createPrivateKey(pem));
        await signWithNodeJose(algorithm, pem);
    }
}

await (what === 'verify' ? verify() : sign());
