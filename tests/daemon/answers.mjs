// SPDX-License-Identifier: Apache-2.0
// Whether doc/openapi.yaml describes what the daemon does.
//
//   node answers.mjs DOCUMENT             compiles every schema
//   node answers.mjs DOCUMENT FOLDER [MORE]   and compares answers that were recorded, in any number of files *.answers: a line
//                                         "METHOD TARGET SIZE", and behind it so many bytes of head and body; `routes`, if there is one:
//                                         a line of JSON for each operation; and `failures`, if there is one: a line for each status in
//                                         the body of a failure. MORE has further paths, which refer to the components of DOCUMENT.
//
// A request that is no HTTP is "? ?": the answer may be HTML without a type, which the document allows for that only.
// Prints what does not fit, one a line, then "# N answers, M do not fit". Status 1 if one does not, or there was none.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import YAML from 'yaml';
import Ajv2020 from 'ajv/dist/2020.js';

const [file, folder, more] = process.argv.slice(2);
const document = YAML.parse(readFileSync(file, 'utf8'));
Object.assign(document.paths, more ? YAML.parse(readFileSync(more, 'utf8')).paths : {});
const ajv = new Ajv2020.default({ strict: true, strictRequired: false, strictTypes: false, allErrors: true });
ajv.addVocabulary(['components']);
ajv.addSchema({ $id: 'document', components: document.components });

const resolve = (node) => node?.$ref ? node.$ref.slice(2).split('/').reduce((at, key) => at[key], document) : node;
const absolute = (node) => JSON.parse(JSON.stringify(node).replaceAll('"#/', '"document#/'));
const compiled = new Map();
const compile = (schema) => {
    const text = JSON.stringify(absolute(schema));
    if (!compiled.has(text))
        compiled.set(text, ajv.compile(JSON.parse(text)));
    return compiled.get(text);
};

// ---- the document itself ----

const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).filter(([method]) => method !== 'parameters').map(([method, operation]) => ({
        path, method, operation,
        parameters: [...(item.parameters ?? []), ...(operation.parameters ?? [])].map(resolve),
        pattern: new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{[^}]*\}/g, '[^/]+')}$`),
    })));

const compileAll = () => {
    for (const name of Object.keys(document.components.schemas))
        compile({ $ref: `#/components/schemas/${name}` });
    for (const { operation, parameters } of operations) {
        const bodies = [operation.requestBody, ...Object.values(operation.responses)].map(resolve);
        for (const parameter of parameters)
            compile(parameter.schema ?? parameter.content['application/json'].schema);
        for (const { schema } of bodies.flatMap((body) => Object.values(body?.content ?? {})))
            if (schema)
                compile(schema);
    }
    return compiled.size;
};

// ---- answers ----

const readAnswer = (bytes) => {
    const end = bytes.indexOf('\r\n\r\n');
    const [first, ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
    const status = first.split(' ')[1];
    if (status.startsWith('1')) // 100 Continue, and then the answer
        return readAnswer(bytes.subarray(end + 4));
    const fields = lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]);
    return { status, headers: Object.fromEntries(fields), body: bytes.subarray(end + 4) };
};

const readRecords = (name) => {
    const all = readFileSync(join(folder, name));
    const records = [];
    for (let at = 0; at < all.length;) {
        const line = all.indexOf('\n', at);
        const [method, target, size] = all.toString('latin1', at, line).split(' ');
        at = line + 1 + Number(size);
        records.push({ name, method, target, ...readAnswer(all.subarray(line + 1, at)) });
    }
    return records;
};

const valueFits = (schema, value) => {
    const validate = compile(schema);
    return validate(value) ? '' : ajv.errorsText(validate.errors).slice(0, 300);
};

const headersFit = (response, headers) => {
    for (const [name, description] of Object.entries(response.headers ?? {}).map(([n, d]) => [n, resolve(d)])) {
        const text = headers[name.toLowerCase()];
        if (text === undefined && description.required)
            return `the field ${name} is missing`;
        const wrong = text !== undefined && valueFits(description.schema, resolve(description.schema).type === 'integer' ? Number(text) : text);
        if (wrong)
            return `the field ${name}: ${wrong}`;
    }
    return '';
};

const parse = (text, schema) => {
    try {
        return valueFits(schema, JSON.parse(text));
    } catch (error) {
        return `no JSON: ${error.message}`;
    }
};

const bodyFits = (type, schema, body) => {
    if (!schema)
        return '';
    if (type === 'application/x-ndjson')
        return body.toString().trimEnd().split('\n').map((line) => parse(line, schema)).find(Boolean) ?? '';
    return type.endsWith('json') ? parse(body.toString(), schema) : valueFits(schema, body.toString());
};

// libmicrohttpd 0.9.75 writes some of these heads twice.
const isOfHttpItself = ({ target, status, headers, body }) =>
    target === '?' && status >= 400 && !headers['content-type'] && /^(HTTP\/1\.1 |<html>)/.test(body.toString());

const answerFits = (record) => {
    const { method, target, status, headers, body } = record;
    // a slash in percents is none
    const path = target.split('?')[0].replace(/%(?!2f)[0-9a-f]{2}/gi, (escaped) => String.fromCharCode(parseInt(escaped.slice(1), 16)));
    const found = operations.find((operation) => operation.method === method.toLowerCase() && operation.pattern.test(path));
    const response = resolve(found?.operation.responses[status] ?? (status >= 400 ? document.components.responses.Failure : undefined));
    const type = (headers['content-type'] ?? '').split(';')[0].trim();
    if (isOfHttpItself(record))
        return '';
    if (!response)
        return found ? `the status ${status} is not described` : 'there is no such operation';
    return headersFit(response, headers) || method !== 'HEAD' &&
        (response.content[type] ? bodyFits(type, response.content[type].schema, body) : `the type '${type}' is not described`);
};

const checkAnswers = () => {
    const records = readdirSync(folder).filter((name) => name.endsWith('.answers')).flatMap(readRecords);
    let bad = 0;
    for (const record of records) {
        const wrong = answerFits(record);
        if (wrong) {
            bad++;
            console.log(`${record.name}: ${record.method} ${record.target}: ${record.status}: ${wrong}`);
        }
    }
    console.log(`# ${records.length} answers, ${bad} do not fit`);
    return records.length > 0 && !bad;
};

// ---- the daemon's table ----

const sorted = (list) => [...list].sort().join(' ');
const routeOf = ({ path, method, operation, parameters }) => JSON.stringify({
    name: operation.operationId, method: method.toUpperCase(), path,
    takes: sorted(Object.keys(operation.requestBody?.content ?? {})),
    query: sorted(parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name)),
    key: parameters.some(({ name }) => name === 'Idempotency-Key'),
});

// What every answer of such an operation may be.
const statusesOf = ({ path, takes, allowed }) => ['400', '503', 'default', ...path.includes('{') ? ['404'] : [],
    ...takes.length ? ['413'] : [], ...takes.some((type) => type !== 'application/json') ? ['507'] : [], ...allowed ? ['403', '429'] : []];

const checkRoutes = () => {
    const routes = readFileSync(join(folder, 'routes'), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
    const there = routes.map(({ allowed, ...route }) => JSON.stringify({ ...route, takes: sorted(route.takes), query: sorted(route.query) }));
    // health is answered before the table is asked
    const described = operations.filter(({ path }) => !path.startsWith('/health/')).map(routeOf);
    const missing = routes.flatMap((route) => {
        const responses = operations.find(({ operation }) => operation.operationId === route.name)?.operation.responses ?? {};
        return statusesOf(route).filter((status) => !responses[status]).map((status) => `${route.name}: the status ${status} is not described`);
    });
    const differ = [...there.filter((route) => !described.includes(route)).map((route) => `only in the table: ${route}`),
        ...described.filter((route) => !there.includes(route)).map((route) => `only in the document: ${route}`), ...missing];
    for (const difference of differ)
        console.log(difference);
    console.log(`# ${there.length} operations, ${differ.length} differences`);
    return there.length > 0 && !differ.length;
};

const checkFailures = () => {
    const there = sorted(new Set(readFileSync(join(folder, 'failures'), 'utf8').trim().split('\n')));
    const described = sorted(document.components.schemas.Failure.properties.error.properties.status.enum);
    console.log(there === described ? '# the failures are described' : `failures: ${there}; described: ${described}`);
    return there === described;
};

console.log(`# ${compileAll()} schemas`);
const good = [!folder || checkAnswers(), !folder || !existsSync(join(folder, 'routes')) || checkRoutes(),
    !folder || !existsSync(join(folder, 'failures')) || checkFailures()];
process.exit(good.every(Boolean) ? 0 : 1);
