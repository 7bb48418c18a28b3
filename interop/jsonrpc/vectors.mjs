#!/usr/bin/env node
// Plays the shared vectors against a server that offers the demo service with default settings (see README.md).
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import WebSocket from 'ws';
import { endpoints, Runner, equal, sleep } from '../lib/harness.mjs';
import { open, applies, post } from './lib/links.mjs';
import { docMismatch, setMismatch, outcomeMismatch, mismatch, bytesOf, build, wellFormed, settings } from './lib/match.mjs';
import { LineSplitter, HeaderSplitter, MuxSplitter, FramingError, muxFrame } from './lib/frames.mjs';
import { parseMessage } from './lib/parse.mjs';
import { parseRaw } from './lib/json.mjs';

const dir = process.env.VECTORS ?? fileURLToPath(new URL('../../tests/vectors/jsonrpc/', import.meta.url));
const load = (f) => JSON.parse(readFileSync(`${dir}/${f}.json`, 'utf8'));
const args = process.argv.slice(2);
const unit = args.includes('--unit'); if (unit) args.splice(args.indexOf('--unit'), 1);
if (args.includes('--codes-only')) { settings.messages = false; args.splice(args.indexOf('--codes-only'), 1); }
const at = args.indexOf('--patience'); const patience = at < 0 ? 3000 : Number(args.splice(at, 2)[1]); // ms to wait for a reply
const { e, only, except, stop, list } = await endpoints(args);
const run = new Runner({ only, except, list, timeout: Math.max(5000, patience * 7) });
const must = (why) => { if (why) throw new Error(why); };
/** Replies to peers without newlines, and over mux, may be merged into arrays: compare them one by one. */
const flat = (t) => { const d = parseRaw(t, 100000); return d.kind === 'array' ? d.items : [t]; };
const ALIVE = '{"jsonrpc":"2.0","id":"alive","method":"get_data"}';
const alive = (t) => !mismatch({ id: 'alive', result: ['hello', 5] }, t);
const KINDS = ['http', 'ws', 'tcp', 'lsp'].filter((k) => e[k] || list);
const QUIET = 40; // ms to wait for replies that should not come

/** Send a document; return the replies to it. A follow-up request on the same connection shows when nothing more is due. */
async function ask(link, doc, expected, ms = patience) {
  const { inbox } = link; inbox.texts = [];
  await link.send(doc);
  await inbox.until(expected, ms);
  if (inbox.closed) return inbox.texts;
  const before = inbox.texts.length;
  await link.send(Buffer.from(ALIVE));
  for (const end = Date.now() + ms; !inbox.texts.some(alive) && !inbox.closed && Date.now() < end;) await inbox.until(inbox.texts.length + 1, Math.max(1, end - Date.now()));
  if (expected === 0 || before < expected) await sleep(QUIET);
  const i = inbox.texts.findIndex(alive);
  if (i < 0) throw new Error(`the connection does not answer; got ${JSON.stringify(inbox.texts).slice(0, 300)}`);
  return inbox.texts.filter((_, j) => j !== i);
}

let serial = 0;
for (const kind of KINDS) for (const v of load('spec').vectors) {
  if (!applies(kind, v.transports)) continue;
  await run.check(`spec/${kind}/${v.name}`, async (undo) => {
    const link = await open(kind, e[kind]); undo(() => link.close());
    const k = `${kind}-${process.pid}-${++serial}`; const fill = (s) => Buffer.from(s.replaceAll('{{key}}', k));
    const t0 = performance.now();
    const got = await ask(link, fill(v.in), v.out === null ? 0 : 1);
    const took = performance.now() - t0;
    if (v.out === null) must(got.length ? `unexpected reply ${got[0]}` : null);
    else { equal(got.length, 1, 'number of replies'); must(docMismatch(v.out, got[0])); }
    if (v.no_text) must(got.some((t) => t.includes(v.no_text)) ? 'the reply tells too much' : null);
    if (v.within_ms) must(took > v.within_ms ? `took ${Math.round(took)} ms` : null);
    if (v.then) { if (kind === 'http') await sleep(30); const again = await ask(link, fill(v.then.in), 1); must(docMismatch(v.then.out, again[0] ?? '""')); }
  }, v.option ? { skip: 'needs ' + JSON.stringify(v.option) } : {});
}

for (const v of load('ndjson').vectors) await run.check(`ndjson/tcp/${v.name}`, async (undo) => {
  const link = await open('tcp', e.tcp); undo(() => link.close());
  for (const c of v.chunks) { await link.raw(bytesOf(c)); await sleep(v.chunks.length > 20 ? 1 : 4); }
  if (v.eof) { link.end(); must((await link.inbox.untilClosed(patience)) ? null : 'the server did not close after our end of input'); } else { await link.inbox.until(v.out.length, patience); await sleep(QUIET); }
  if (v.chunks.every((c) => !bytesOf(c).includes(10))) must(setMismatch(v.out.flat(), link.inbox.texts.flatMap(flat))); else must(setMismatch(v.out, link.inbox.texts));
}, e.tcp || list ? {} : { skip: 'no --tcp' });

for (const v of load('lsp').vectors) await run.check(`lsp/tcp/${v.name}`, async (undo) => {
  const link = await open('lsp', e.lsp); undo(() => link.close());
  for (const c of v.chunks) { await link.raw(bytesOf(c)); await sleep(v.chunks.length > 20 ? 1 : 4); }
  await link.inbox.until(v.out.length, patience);
  if (v.close) must((await link.inbox.untilClosed(patience)) ? null : 'the connection should be closed'); else { await sleep(QUIET); must(link.inbox.closed ? 'the connection should stay open' : null); }
  must(setMismatch(v.out, link.inbox.texts));
}, e.lsp || list ? {} : { skip: 'no --lsp' });

for (const v of load('mux').rpc) await run.check(`mux/ws/${v.name}`, async (undo) => {
  const ws = new WebSocket(e.mux); undo(() => ws.close());
  await new Promise((r, j) => { ws.on('open', r); ws.on('error', j); });
  const frames = new MuxSplitter(); const got = [];
  ws.on('message', (d, binary) => { if (!binary) throw new Error('mux frames must be binary messages'); got.push(...frames.push(d)); });
  for (const f of v.in) { ws.send(Buffer.from(f.hex, 'hex')); await sleep(3); }
  const singles = () => got.flatMap((f) => flat(f.payload.toString()).map((t) => ({ channel: f.channel, text: t })));
  const due = v.out.flatMap((o) => [o.out].flat().map((x) => ({ channel: o.channel, out: x })));
  for (let i = 0; i < 400 && singles().length < due.length; i++) await sleep(5);
  await sleep(QUIET);
  const have = singles();
  for (const o of due.filter((x) => x.out.method)) { // what the server sends of its own accord is compared as it is
    const at = have.findIndex((f) => { try { equal(JSON.parse(f.text), o.out); return f.channel === o.channel; } catch { return false; } });
    must(at < 0 ? `missing on channel ${o.channel}: ${JSON.stringify(o.out)}` : null); have.splice(at, 1);
  }
  for (const ch of [0, 1]) must(setMismatch(due.filter((o) => o.channel === ch && !o.out.method).map((o) => o.out), have.filter((f) => f.channel === ch).map((f) => f.text)));
  must(got.some((f) => f.channel > 1) ? 'a frame on an unknown channel' : null);
  must(got.some((f) => f.payload.length === 0) ? 'an empty frame' : null);
}, e.mux || list ? {} : { skip: 'no --mux' });
for (const v of load('mux').vectors.filter((x) => x.close)) await run.check(`mux/ws/${v.name}`, async (undo) => {
  const ws = new WebSocket(e.mux); undo(() => ws.terminate());
  await new Promise((r, j) => { ws.on('open', r); ws.on('error', j); });
  const closed = new Promise((r) => ws.on('close', r));
  for (const tick of v.steps) { for (const h of tick) if (ws.readyState === 1) ws.send(Buffer.from(h, 'hex')); await sleep(5); }
  await closed;
}, e.mux || list ? {} : { skip: 'no --mux' });

for (const v of load('http').vectors) await run.check(`http/${v.name}`, async () => {
  const body = v.body === undefined ? undefined : bytesOf(v.body);
  const r = await post(e.http, body, v.headers, v.method, { chunked: v.chunked, headOnly: v.raw, path: v.path });
  equal(r.status, v.status, 'status');
  for (const [k, want] of Object.entries(v.response_headers ?? {})) { const have = (r.headers[k] ?? '').split(';')[0].trim(); must(have.split(/\s*,\s*/).includes(want) ? null : `header ${k}: ${have}`); }
  if (v.out === null) equal(r.body, '', 'body'); else if (v.out !== undefined) must(docMismatch(v.out, r.body)); else must(/"result"/.test(r.body) ? 'a result came back' : null);
  if (v.status === 200) must(/^application\/json\b/.test(r.headers['content-type'] ?? '') ? null : 'content type of the reply');
}, e.http || list ? {} : { skip: 'no --http' });

for (const kind of KINDS) for (const v of load('grammar').vectors) {
  if (kind === 'tcp' && v.one_line === false) continue;
  await run.check(`grammar/${kind}/${v.name}`, async (undo) => {
    const link = await open(kind, e[kind]); undo(() => link.close());
    const doc = Buffer.concat([Buffer.from('{"jsonrpc":"2.0","id":1,"method":"echo","params":['), bytesOf(v), Buffer.from(']}')]);
    const got = await ask(link, doc, 1);
    must(got.length ? null : 'no reply');
    const accepted = () => (got.length === 1 ? mismatch({ id: 1, result: [JSON.parse(v.text)] }, got[0]) : `${got.length} replies`);
    const refused = (codes) => { if (got.length > (kind === 'tcp' ? 2 : 1)) return `${got.length} replies`; for (const t of got) { const c = wellFormed(t).value.error?.code; if (!codes.includes(c)) return `expected an error, got ${t.slice(0, 200)}`; } return null; };
    if (v.verdict === 'accept') must(accepted()); else if (v.verdict === 'reject') must(refused([-32700])); else if (refused([-32700, -32602])) { const w = wellFormed(got[0]).value; must(w.id === 1 && Array.isArray(w.result) ? null : `neither value nor error: ${got[0].slice(0, 200)}`); }
  });
}

for (const kind of KINDS) for (const v of load('hostile').vectors) {
  if (!applies(kind, v.transports) && !(v.transports?.includes(kind))) continue;
  await run.check(`hostile/${kind}/${v.name}`, async (undo) => {
    const link = await open(kind, e[kind]); undo(() => link.close());
    const doc = build(v.parts); const t0 = performance.now();
    if (v.close) { await link.send(doc); equal(await link.inbox.untilClosed(8000), v.close, 'close code'); const again = await open(kind, e[kind]); undo(() => again.close()); equal((await ask(again, Buffer.from('{"jsonrpc":"2.0","id":1,"method":"zero"}'), 1)).length, 1); return; }
    const most = Math.max(0, ...v.expect.map((x) => (x.none ? 0 : x.lines_of ?? 1)));
    let got;
    try { got = await ask(link, doc, most, patience * 4); } catch (x) { if (v.status !== 413 || !/EPIPE|ECONNRESET/.test(x.code ?? x.message)) throw x; got = await ask(link, Buffer.from('[]'), 1); equal(got.length, 1, 'replies after the refusal'); return; } // cut off while sending: as good as 413
    const took = performance.now() - t0;
    const reasons = v.expect.map((x) => outcomeMismatch(x, got));
    must(reasons.some((x) => x === null) ? null : reasons.join(' | '));
    if (v.status) equal(link.inbox.statuses[0], v.status, 'status');
    if (v.max_reply) must(got.some((t) => t.length > v.max_reply) ? 'the reply is too long' : null);
    if (v.within_ms) must(took > v.within_ms ? `took ${Math.round(took)} ms` : null);
    if (v.then) must(docMismatch(v.then.out, (await ask(link, Buffer.from(v.then.in), 1))[0] ?? '""'));
  });
}

if (unit) { // the helpers of this project against the vectors that have no wire form
  const show = (b) => { const t = b.toString('utf8'); return Buffer.from(t).equals(b) ? t : { hex: b.toString('hex') }; };
  const trim = (b) => { let i = 0, j = b.length; const w = (c) => c === 32 || c === 9 || c === 13; while (i < j && w(b[i])) i++; while (j > i && w(b[j - 1])) j--; return b.subarray(i, j); };
  for (const v of load('parse').vectors) await run.check(`unit/parse/${v.name}`, async () => { const { name, text, jsonrpc_lib, ...want } = v; equal(parseMessage(text), want); });
  for (const mode of ['auto', 'newline']) for (const v of load('ndjson').vectors) await run.check(`unit/ndjson/${mode}/${v.name}`, async () => { const s = new LineSplitter({ mode }); const out = v.chunks.flatMap((c) => s.push(bytesOf(c))); if (v.eof) out.push(...s.end()); equal(out.map((b) => show(trim(b))), (mode === 'newline' && v.newline ? v.newline : v).frames); });
  for (const v of load('lsp').vectors) await run.check(`unit/lsp/${v.name}`, async () => { const s = new HeaderSplitter(); const out = []; let lost = false; for (const c of v.chunks) out.push(...s.push(bytesOf(c))); lost = s.lost !== null; equal([out.map(show), lost], [v.frames, Boolean(v.close)]); });
  for (const v of load('mux').vectors) await run.check(`unit/mux/${v.name}`, async () => {
    if (v.kind === 'encode') { const chunks = v.mux_demux_stream.wire.map((h) => Buffer.from(h, 'hex')); for (const f of new MuxSplitter().push(Buffer.concat(chunks))) must(chunks.some((c) => c.equals(muxFrame(f.channel, f.payload))) ? null : 'encoded differently'); return; }
    const s = new MuxSplitter(); const out = []; let lost = false;
    try { for (const tick of v.steps) for (const h of tick) out.push(...s.push(Buffer.from(h, 'hex'))); } catch (x) { if (!(x instanceof FramingError)) throw x; lost = true; }
    equal(lost, Boolean(v.close)); if (!v.close) equal(out.filter((f) => f.channel < v.channels && f.payload.length).map((f) => [f.channel, f.payload.toString('hex')]), v.frames);
  });
}
const code = run.done();
stop();
process.exit(code);
