// SPDX-License-Identifier: Apache-2.0
// signengined(8) from Node, without packages.
//
//     const engine = new Signengine();
//     const signature = await engine.sign('FileSigner', content);
//
// Calls may overlap: each has a connection of its own, which is kept for the next.
//
//     node signengine.mjs SOCKET [PATIENCE]     reads calls, one a line, as README.md has them
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

/** Why a call failed. status: the word to branch on ('forbidden', 'rejected', 'unavailable' ...); code: the status of HTTP, 0 if there was no
 *  answer; requestId: what the service's audit calls this request; retryAfter: seconds after which to ask again, or undefined. */
export class SignengineError extends Error {
    constructor(status, message, { code = 0, requestId, retryAfter, cause } = {}) {
        super(message, { cause });
        Object.assign(this, { name: 'SignengineError', status, code, requestId, retryAfter });
    }
}

export class Signengine {
    #agent = new http.Agent({ keepAlive: true });
    #socketPath;
    #timeout;
    #patience;

    /** timeout: seconds without a sign of life. patience: seconds that a call may wait in all where the service says Retry-After, as it does
     *  while a key store is away or a limit is used up; what would take longer is thrown at once. */
    constructor({ socketPath = '/run/signengine/socket', timeout = 60, patience = 30 } = {}) {
        this.#socketPath = socketPath;
        this.#timeout = timeout;
        this.#patience = patience;
    }

    close() {
        this.#agent.destroy();
    }

    // ---- signatures; query: { form: 'raw', version: 1, tag: '...' } ----

    /** The signature, a Buffer: CMS in DER, unless query.form says otherwise. */
    async sign(descriptor, content, query = {}) {
        return (await this.#ask(target(descriptor, 'sign', query), Buffer.from(content), 'application/octet-stream')).body;
    }

    /** Who signed. What is not good is thrown as 'rejected'. */
    async verify(descriptor, content, signature, query = {}) {
        return this.#askJson(target(descriptor, 'verify', query), { content: base64(content), signature: base64(signature) });
    }

    // ---- values; context: an object of strings, that they belong to ----

    async encrypt(descriptor, content, context = {}) {
        return (await this.#askJson(target(descriptor, 'encrypt'), { content: base64(content), context })).value;
    }

    async decrypt(descriptor, value, context = {}) {
        return Buffer.from((await this.#askJson(target(descriptor, 'decrypt'), { value, context })).content, 'base64');
    }

    /** contents: [{ content, context }]; for each its value, or the SignengineError that it failed with, which is not thrown. */
    async encryptMany(descriptor, contents) {
        const items = contents.map(({ content, context }) => ({ content: base64(content), context }));
        return (await this.#askJson(target(descriptor, 'encrypt'), { items })).items.map((item) => result(item, () => item.value));
    }

    /** values: [{ value, context }]; the contents likewise. */
    async decryptMany(descriptor, items) {
        const answer = await this.#askJson(target(descriptor, 'decrypt'), { items });
        return answer.items.map((item) => result(item, () => Buffer.from(item.content, 'base64')));
    }

    // ---- histories ----

    /** entries: [{ object, payload }], all or none of them. key: of your choice for these entries, up to 64 visible ASCII characters. Asked again
     *  with it, after whatever failure, the service appends nothing twice. { first, count, repeated } */
    async append(history, key, entries) {
        const body = { entries: entries.map(({ object, payload }) => ({ object, payload: base64(payload) })) };
        return this.#askJson(`/v1/histories/${encodeURIComponent(history)}/entries`, body, { 'Idempotency-Key': key });
    }

    // ---- how it is asked ----

    async #askJson(path, body, fields) {
        return JSON.parse((await this.#ask(path, Buffer.from(JSON.stringify(body)), 'application/json', fields)).body);
    }

    async #ask(path, body, media, fields = {}) {
        const until = performance.now() + this.#patience * 1000;
        for (;;) {
            const answer = await this.#exchange(path, body, { 'Content-Type': media, 'Content-Length': body.length, ...fields });
            if (answer.code < 400)
                return answer;
            const error = failure(answer);
            if (error.retryAfter === undefined || performance.now() + error.retryAfter * 1000 > until)
                throw error;
            await sleep(error.retryAfter * 1000);
        }
    }

    /** A kept connection may have been closed meanwhile: then once more, in the end on a new one. All calls of this class may be repeated; an
     *  append because of its key. */
    #exchange(path, body, headers) {
        return new Promise((resolve, reject) => {
            const request = http.request({ socketPath: this.#socketPath, agent: this.#agent, method: 'POST', path, headers, timeout: this.#timeout * 1000 });
            const fail = (cause) => reject(new SignengineError('unavailable', `no answer: ${cause.message}`, { cause }));
            let answered = false;
            request.on('timeout', () => request.destroy(new Error(`nothing within ${this.#timeout} s`)));
            request.on('response', (answer) => {
                const pieces = [];
                answered = true;
                answer.on('data', (piece) => pieces.push(piece));
                answer.on('end', () => resolve({ code: answer.statusCode, reason: answer.statusMessage, fields: answer.headers, body: Buffer.concat(pieces) }));
                answer.on('error', fail);
            });
            request.on('error', (cause) => {
                if (answered) // what is too large is answered before all of it was sent
                    return;
                if (request.reusedSocket && ['ECONNRESET', 'EPIPE'].includes(cause.code))
                    resolve(this.#exchange(path, body, headers));
                else
                    fail(cause);
            });
            request.end(body);
        });
    }
}

function target(descriptor, operation, query = {}) {
    const words = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    return `/v1/descriptors/${encodeURIComponent(descriptor)}/${operation}${words.length ? '?' : ''}${words.join('&')}`;
}

function base64(content) {
    return Buffer.from(content).toString('base64');
}

function result(item, value) {
    return item.status === 'ok' ? value() : new SignengineError(item.status, item.message);
}

/** What is wrong with HTTP itself may be answered in HTML. */
function failure({ code, reason, fields, body }) {
    const retryAfter = fields['retry-after'] && Number(fields['retry-after']);
    try {
        const { error, requestId } = JSON.parse(body);
        return new SignengineError(error.status, error.message, { code, requestId, retryAfter });
    } catch {
        return new SignengineError('internal', reason, { code, requestId: fields['x-request-id'], retryAfter });
    }
}

// ---- calls, one a line ----

const place = (row) => ({ table: 'person', row });
const pairs = (words, make) => words.flatMap((row, i) => (i % 2 ? [] : [make(row, words[i + 1])]));
const show = (results) => results.map((r) => (r instanceof SignengineError ? `${r.status}:${r.message}` : `ok:${r}`));

const calls = {
    'sign': async (e, d, file, ...query) => [base64(await e.sign(d, readFileSync(file), Object.fromEntries(query.map((q) => q.split('=')))))],
    'verify': async (e, d, file, signature) => [(await e.verify(d, readFileSync(file), readFileSync(signature))).subject],
    'encrypt': async (e, d, row, text) => [await e.encrypt(d, text, place(row))],
    'decrypt': async (e, d, row, value) => [await e.decrypt(d, value, place(row))],
    'encrypt-many': async (e, d, ...words) => show(await e.encryptMany(d, pairs(words, (row, content) => ({ content, context: place(row) })))),
    'decrypt-many': async (e, d, ...words) => show(await e.decryptMany(d, pairs(words, (row, value) => ({ value, context: place(row) })))),
    'append': async (e, h, key, object, payload) => Object.values(await e.append(h, key, [{ object, payload }])).slice(0, 3),
};

async function main([socketPath, patience = 30]) {
    const engine = new Signengine({ socketPath, patience: Number(patience) });
    for await (const line of createInterface({ input: process.stdin })) {
        const [name, ...words] = line.split('\t');
        try {
            console.log(['ok', ...(await calls[name](engine, ...words))].join('\t'));
        } catch (e) {
            if (!(e instanceof SignengineError))
                throw e;
            console.log(['failed', e.status, e.code, e.requestId ?? '-', e.message].join('\t'));
        }
    }
    engine.close();
}

if (import.meta.url === pathToFileURL(process.argv[1]).href)
    await main(process.argv.slice(2));
