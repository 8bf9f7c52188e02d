// What mailparser finds in messages: as contents.py.
const crypto = require('crypto');
const fs = require('fs');
const { simpleParser } = require('mailparser');

function describe(kind, name, id, data) {
    const bytes = data.toString('latin1').replace(/\r\n/g, '\n'), text = bytes.replace(/\n+$/, '');
    const digest = crypto.createHash('sha256').update(text, 'latin1').digest('hex');
    return [kind, name || null, id || null, digest, text.slice(0, 40) + '...' + text.slice(-40), bytes.length - text.length];
}

async function main() {
    for (const message of fs.readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
        let parts;
        try {
            const parsed = await simpleParser(fs.readFileSync(message), { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true });
            parts = parsed.attachments.map(a => describe(a.contentType, a.filename, a.contentId, a.content));
            if (message.startsWith('signed/'))
                parts.pop();
            for (const kind of ['text', 'html'])
                parts.push(describe(kind, null, null, Buffer.from(parsed[kind] || '')));
        } catch (error) {
            parts = ['error: ' + error];
        }
        console.log(JSON.stringify({ judge: 'mailparser', message, parts }));
    }
}

main();
