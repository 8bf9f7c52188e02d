// SPDX-License-Identifier: Apache-2.0
// What mailparser finds in messages: as contents.py.
const crypto = require('crypto');
const fs = require('fs');
const { simpleParser } = require('mailparser');

function describe(kind, name, id, data) {
    const bytes = data.toString('latin1').replace(/\r\n/g, '\n'), text = bytes.replace(/\n+$/, '');
    const digest = crypto.createHash('sha256').update(text, 'latin1').digest('hex');
    return [kind, name || null, id || null, digest, text.slice(0, 40) + '...' + text.slice(-40), bytes.length - text.length];
}

// A message in a message comes as its source.
async function find(source, signed) {
    const parsed = await simpleParser(source, { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true });
    let found = [];
    if (signed)
        parsed.attachments.pop();
    for (const one of parsed.attachments)
        found = found.concat(one.contentType === 'message/rfc822' ? await find(one.content, false)
                                                                  : [describe(one.contentType, one.filename, one.contentId, one.content)]);
    // the texts of parts, and reports for machines, are joined with line ends of its own
    for (const kind of ['text', 'html'])
        found.push(describe(kind, null, null, Buffer.from((parsed[kind] || '').replace(/\s*\n/g, '\n').trim())));
    return found;
}

async function main() {
    for (const message of fs.readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
        const source = fs.readFileSync(message);
        let parts;
        // of a digest it shows the source of the messages as text
        if (source.includes('multipart/digest'))
            continue;
        try {
            parts = await find(source, message.startsWith('signed/'));
        } catch (error) {
            parts = [['error: ' + error]];
        }
        console.log(JSON.stringify({ judge: 'mailparser', message, parts }));
    }
}

main();
