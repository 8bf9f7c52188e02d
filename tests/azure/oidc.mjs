// SPDX-License-Identifier: Apache-2.0
// An OAuth server that knows nothing of us (oidc-provider), and a vault behind it:
//
//   node oidc.mjs FOLDER
//
// FOLDER has front.pem (key and certificate of localhost) and client.json (the client's JWKs).  The server gets `authority` and `vault`
// there once it listens.  The vault takes tokens of that server only, and hands requests on to the emulator with one of the emulator's.
import Provider from 'oidc-provider';
import dns from 'node:dns';
import fs from 'node:fs';
import https from 'node:https';

const folder = process.argv[2];
const { VAULT, AUTHORITY, TENANT, CLIENT, SECRET, RESOURCE } = process.env;
const tls = { key: fs.readFileSync(`${folder}/front.pem`), cert: fs.readFileSync(`${folder}/front.pem`) };

const lookup = dns.lookup;
dns.lookup = (host, options, done) => lookup(host.endsWith('.localhost') ? '127.0.0.1' : host, options, done);

const listen = server => new Promise(done => server.listen(0, '127.0.0.1', () => done(`https://localhost:${server.address().port}`)));

// a server needs its own address before it is made
let handle;
const authority = https.createServer(tls, (request, response) => handle(request, response));
const issuer = await listen(authority);
const provider = new Provider(issuer, {
    clients: [{
        client_id: 'engine',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: JSON.parse(fs.readFileSync(`${folder}/client.json`)),
    }],
    clientAuthMethods: ['private_key_jwt'],
    enabledJWA: { clientAuthSigningAlgValues: ['PS256'] },
    features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
    routes: { token: '/tenant/oauth2/v2.0/token' },
    scopes: [`${RESOURCE}/.default`],
});
handle = provider.callback();
for (const event of ['grant.error', 'server_error'])
    provider.on(event, (_, error) => console.log(event, error.error, error.error_description, error.error_detail));

const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: CLIENT, client_secret: SECRET, scope: `${RESOURCE}/.default` });

async function send(url, method, headers, body) {
    return new Promise((done, failed) => {
        const request = https.request(url, { method, headers }, async answer => {
            const parts = [];
            for await (const part of answer) parts.push(part);
            done({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts) });
        });
        request.on('error', failed);
        request.end(body);
    });
}

const inner = JSON.parse((await send(`${AUTHORITY}/${TENANT}/oauth2/v2.0/token`, 'POST',
    { 'Content-Type': 'application/x-www-form-urlencoded' }, form.toString())).body).access_token;

const vault = https.createServer(tls, async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const token = await provider.ClientCredentials.find((request.headers.authorization ?? '').replace('Bearer ', ''));
    if (!token?.isValid) {
        response.writeHead(401, { 'WWW-Authenticate': `Bearer authorization="${issuer}/tenant", resource="${RESOURCE}"` }).end();
        return;
    }
    const answer = await send(VAULT + request.url, request.method,
        { 'Content-Type': 'application/json', Authorization: `Bearer ${inner}` }, Buffer.concat(parts));
    // objects are named by where they are
    const own = answer.body.toString().replaceAll(VAULT, address);
    response.writeHead(answer.status, { 'Content-Type': 'application/json' }).end(own);
});
const address = await listen(vault);
fs.writeFileSync(`${folder}/vault`, address);
fs.writeFileSync(`${folder}/authority`, issuer);
