// SPDX-License-Identifier: Apache-2.0
// What mailparser makes of messages: files on standard input, a line of JSON for each.
const fs = require('fs');
const { simpleParser } = require('mailparser');

async function main() {
    for (const message of fs.readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
        let parsed, texts;
        try {
            parsed = await simpleParser(fs.readFileSync(message), { skipHtmlToText: true });
            texts = parsed.text ? [parsed.text] : [];
        } catch (error) {
            texts = ['error: ' + error];
        }
        const from = parsed && parsed.from ? parsed.from.value.map(a => a.group ? 'a group' : a.address) : [];
        console.log(JSON.stringify({ judge: 'mailparser', message, from, texts }));
    }
}

main();
