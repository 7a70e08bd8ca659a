// The official TypeScript clients (npm `@modelcontextprotocol/sdk` and `@modelcontextprotocol/client`) against
// `hubcap serve`, one of them, in one era.
//
// Says one line for each check, `ok` or `FAILED`, a tab, the check's name, a tab, what was seen. The one argument is
// JSON, made by `run`.

import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, rmSync } from 'node:fs';

const setup = JSON.parse(process.argv[2]);
const modern = setup.era !== 'legacy';
const revision = modern ? '2026-07-28' : '2025-11-25';
const longEnough = 60_000;

// Both packages by the same names. What a server is asked by is a schema in one and a method in the other.
async function load() {
  if (setup.package === '@modelcontextprotocol/sdk') {
    const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
    const { StdioClientTransport } = await import('@modelcontextprotocol/sdk/client/stdio.js');
    const { ElicitRequestSchema } = await import('@modelcontextprotocol/sdk/types.js');
    return { Client, StdioClientTransport, elicitation: ElicitRequestSchema };
  }
  const { Client } = await import('@modelcontextprotocol/client');
  const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio');
  return { Client, StdioClientTransport, elicitation: 'elicitation/create' };
}

const { Client, StdioClientTransport, elicitation } = await load();

// Whoever is asked: answers as told, and counts.
const person = { asked: 0, decision: 'approve', message: '' };

async function connect([command, ...args], mode) {
  const options = { capabilities: { elicitation: { form: {} } } };
  if (modern) options.versionNegotiation = { mode };
  const client = new Client({ name: 'tests', version: '1' }, options);
  client.setRequestHandler(elicitation, async ({ params }) => {
    person.asked += 1;
    person.message = params.message;
    return { action: 'accept', content: { decision: person.decision } };
  });
  await client.connect(new StdioClientTransport({ command, args }));
  return client;
}

const call = (client, name, args, options) =>
  client.callTool({ name, arguments: args }, ...(setup.package.endsWith('/sdk') ? [undefined, options] : [options]));

// All tools that are listed now, page by page.
async function pages(client) {
  const found = [];
  let cursor;
  do {
    const page = await client.request({ method: 'tools/list', params: cursor ? { cursor } : {} }, ...listSchema);
    found.push(page.tools.map((tool) => tool.name));
    cursor = page.nextCursor;
  } while (cursor);
  return found;
}

const listSchema = setup.package.endsWith('/sdk')
  ? [(await import('@modelcontextprotocol/sdk/types.js')).ListToolsResultSchema]
  : [];

const text = (result) => result.content[0].text;

function refused(result, words) {
  assert(result.isError && text(result).includes(words), JSON.stringify(result));
  assert(!result._meta['hubcap/receipt'], 'it ran');
  return text(result);
}

async function list(client) {
  const { tools } = await client.listTools();
  const tool = tools.find((tool) => tool.name === 'echo_say');
  assert.equal(tool.title, 'Say');
  assert.equal(tool.annotations.readOnlyHint, true);
  assert.deepEqual(tool.inputSchema.required, ['text']);
  const spoken = modern ? client.getNegotiatedProtocolVersion() : client.getServerVersion().name && revision;
  assert.equal(spoken, revision);
  return `${revision}; title, schema and annotations of echo_say`;
}

async function page(client) {
  const found = await pages(client);
  const names = found.flat();
  assert.equal(names.length, setup.tools);
  assert.equal(new Set(names).size, names.length);
  assert.equal(found.length, 2);
  return `${names.length} tools on ${found.length} pages, each once`;
}

async function calls(client) {
  const result = await call(client, 'echo_say', { text: 'grüß dich' });
  assert.equal(text(result), 'grüß dich');
  return `${text(result)}; ${result._meta['hubcap/receipt'].fuel} fuel`;
}

async function structured(client) {
  const { structuredContent } = await call(client, 'echo_structured', { n: 21 });
  assert.deepEqual(structuredContent, { n: 21, twice: 42 });
  const broken = await call(client, 'echo_bad-structured', {});
  assert(broken.isError && text(broken).startsWith('invalid-output'), JSON.stringify(broken));
  return `${JSON.stringify(structuredContent)}, checked by the client too; a broken promise is invalid-output`;
}

async function wrongArguments(client) {
  refused(await call(client, 'echo_structured', {}), '"n"');
  return refused(await call(client, 'echo_structured', { n: 'x' }), 'invalid-arguments: ');
}

// These clients drop reports that they read together with the answer: the plugin rests after each of them.
async function progress(client) {
  const seen = [];
  const result = await call(client, 'echo_progress', { steps: 5, ms: 300 }, { onprogress: (report) => seen.push(report) });
  assert.equal(text(result), '5');
  assert(seen.length > 1, JSON.stringify(seen));
  seen.forEach((report, at) => assert(report.total === 5 && (at === 0 || report.progress > seen[at - 1].progress)));
  return `${seen.length} reports, growing, the last '${seen.at(-1).message}'`;
}

// Only one call of a plugin runs at a time in this home: the next one runs once this one is over.
async function cancel(client) {
  const controller = new AbortController();
  const options = { signal: controller.signal, onprogress: () => controller.abort() };
  await assert.rejects(call(client, 'echo_sleep', { ms: 25_000 }, options));
  assert(controller.signal.aborted, 'the call ended by itself');
  const start = performance.now();
  assert.equal(text(await call(client, 'echo_say', { text: 'next' })), 'next');
  return `given up while it ran; its place was free after ${(performance.now() - start).toFixed()} ms`;
}

async function approval(client) {
  assert.equal(text(await call(client, 'echo_big', { bytes: 3 })), 'bbb');
  assert.equal(person.asked, 1);
  assert(person.message.includes('echo_big'), person.message);
  person.decision = 'decline';
  const words = refused(await call(client, 'echo_big', { bytes: 3 }), 'approval: ');
  person.decision = 'approve';
  return `asked, approved, ran; asked, declined: ${words}`;
}

async function replay(client) {
  if (!modern) {
    const before = person.asked;
    for (let again = 0; again < 2; again += 1) {
      assert.equal(text(await call(client, 'echo_big', { bytes: 3 })), 'bbb');
    }
    assert.equal(person.asked, before + 2);
    return 'the same call again is asked for again';
  }
  const ask = () => call(client, 'echo_big', { bytes: 3 }, { allowInputRequired: true });
  const answered = ({ requestState }, bytes) => {
    const inputResponses = { approval: { action: 'accept', content: { decision: 'approve' } } };
    const params = { name: 'echo_big', arguments: { bytes }, inputResponses, requestState };
    return client.callTool(params, { allowInputRequired: true });
  };
  let question = await ask();
  assert.equal(question.resultType, 'input_required');
  const other = refused(await answered(question, 4), 'approval: ');
  question = await ask();
  assert.equal(text(await answered(question, 3)), 'bbb');
  const again = refused(await answered(question, 3), 'it was used already');
  return `a second time: ${again.slice(0, 60)}…; other arguments: ${other.slice(0, 60)}…`;
}

// hubcap promises no notice of changes: who lists again sees them.
async function listChanged() {
  const client = await connect(setup.dev, 'auto');
  try {
    assert.equal(client.getServerCapabilities().tools.listChanged, undefined);
    const before = (await pages(client)).flat();
    assert(before.includes('echo_say') && !before.includes('second_say'));
    copyFileSync(setup.guest, setup.second);
    await listed(client, (found) => found.includes('second_say'));
    assert.equal(text(await call(client, 'second_say', { text: 'new' })), 'new');
    rmSync(setup.second);
    await listed(client, (found) => found.length === before.length && !found.includes('second_say'));
  } finally {
    await client.close();
  }
  return 'a file came and went under `serve --dev`: its tools were listed, called, gone';
}

async function listed(client, wanted) {
  while (!wanted((await pages(client)).flat())) await new Promise((next) => setTimeout(next, 20));
}

// A server that does not end by itself is ended by the client, after 2 s, and leaves no code.
async function shutdown(client) {
  const start = performance.now();
  await client.close();
  const took = (performance.now() - start).toFixed();
  assert.equal(readFileSync(setup.status, 'ascii').trim(), '0');
  return `the server ended by itself with 0, the client closed in ${took} ms`;
}

const checks = {
  list,
  page,
  call: calls,
  structured,
  'wrong-arguments': wrongArguments,
  progress,
  cancel,
  approval,
  replay,
  'list-changed': listChanged,
  shutdown,
};

const client = await connect(setup.serve, { pin: revision });
for (const [name, check] of Object.entries(checks)) {
  let late;
  try {
    const limit = new Promise((_, fail) => (late = setTimeout(() => fail(new Error('it takes too long')), longEnough)));
    console.log(`ok\t${name}\t${await Promise.race([check(client), limit])}`);
  } catch (error) {
    console.error(error);
    console.log(`FAILED\t${name}\t${String(error).replace(/\s+/g, ' ')}`);
  } finally {
    clearTimeout(late);
  }
}
// What a check that took too long left running ends here.
process.exit();
