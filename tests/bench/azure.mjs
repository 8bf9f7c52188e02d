// SPDX-License-Identifier: Apache-2.0
// Microsoft's client: signatures a second with so many at a time.  node azure.mjs KEY-URL ALGORITHM SECONDS CONCURRENT...
import { CryptographyClient } from '@azure/keyvault-keys';
import { ClientSecretCredential } from '@azure/identity';
import dns from 'node:dns';

const { AUTHORITY, TENANT, CLIENT, SECRET } = process.env;
const [url, algorithm, seconds, ...counts] = process.argv.slice(2);
const lookup = dns.lookup;
dns.lookup = (host, options, done) => lookup(host.endsWith('.localhost') ? '127.0.0.1' : host, options, done);

const credential = new ClientSecretCredential(TENANT, CLIENT, SECRET, { authorityHost: AUTHORITY, disableInstanceDiscovery: true });
const client = new CryptographyClient(url, credential);
const hash = new Uint8Array(32).fill(1);
await client.sign(algorithm, hash);

for (const count of counts) {
    const end = Date.now() + 1000 * seconds;
    let done = 0;
    const one = async () => {
        while (Date.now() < end) {
            await client.sign(algorithm, hash);
            done++;
        }
    };
    const begun = Date.now();
    await Promise.all(Array.from({ length: Number(count) }, one));
    console.log(`${count}\t${done / (Date.now() - begun) * 1000}`);
}
