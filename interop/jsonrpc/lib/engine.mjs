// A small JSON-RPC 2.0 engine with the behaviour that trunkline has by default.
import { parseRaw, decodeUtf8, JsonError } from './json.mjs';

export const CODES = {
  parse: [-32700, 'Parse error'], invalid: [-32600, 'Invalid Request'], method: [-32601, 'Method not found'],
  params: [-32602, 'Invalid params'], internal: [-32603, 'Internal error'],
  tooLarge: [-32007, 'Request is too big'], batch: [-32010, 'The batch request was too large'], cancelled: [-32800, 'Request cancelled'],
};

export class RpcError extends Error {
  constructor(code, message, data) { super(message); this.code = code; this.data = data; }
  static of([code, message], data) { return new RpcError(code, message, data); }
}

const errorText = (idRaw, e) => {
  const o = { code: e.code, message: e.message };
  if (e.data !== undefined) o.data = e.data;
  return `{"jsonrpc":"2.0","id":${idRaw},"error":${JSON.stringify(o)}}`;
};
export const errorReply = (what, data) => errorText('null', RpcError.of(CODES[what], data));

export class Engine {
  /** methods: Map name -> async (params, ctx) => result. A result of {raw} is inserted as it is. */
  constructor(methods, { maxBatch = 1024, maxDepth = 128, version = true, nullParams = 'absent' } = {}) { this.methods = methods; this.maxBatch = maxBatch; this.maxDepth = maxDepth; this.version = version; this.nullParams = nullParams; }

  /** One document in, the text of the reply out, or null for none. ctx.peer is set on two-way transports. */
  async handle(bytes, ctx) {
    let doc;
    try { doc = parseRaw(typeof bytes === 'string' ? bytes : decodeUtf8(bytes), this.maxDepth); } catch (e) {
      if (e instanceof JsonError) return errorReply('parse');
      throw e;
    }
    if (doc.kind === 'array') {
      if (doc.items.length === 0) return errorReply('invalid');
      if (doc.items.length > this.maxBatch) return errorReply('batch', { limit: this.maxBatch });
      const parts = (await Promise.all(doc.items.map((t) => this.#one(parseRaw(t, this.maxDepth), ctx)))).filter((x) => x !== null);
      return parts.length ? '[' + parts.join(',') + ']' : null;
    }
    return this.#one(doc, ctx);
  }

  async #one(doc, ctx) {
    if (doc.kind !== 'object') return errorReply('invalid');
    const m = doc.value; const has = (k) => doc.members.has(k);
    const response = !has('method') && (has('result') || has('error'));
    if (response && ctx.peer) { ctx.peer.deliver(m, doc.members.get('id')); return null; }
    for (const k of ['jsonrpc', 'id', 'method', 'params', 'result', 'error']) if (doc.repeated.has(k)) return errorReply('invalid');
    let idRaw = 'null';
    if (has('id')) {
      if (m.id !== null && typeof m.id !== 'string' && typeof m.id !== 'number') return errorReply('invalid');
      idRaw = doc.members.get('id');
    }
    if ((this.version && m.jsonrpc !== '2.0') || typeof m.method !== 'string') return errorText(idRaw, RpcError.of(CODES.invalid));
    let params; let paramsRaw;
    if (has('params') && !(m.params === null && this.nullParams === 'absent')) {
      if (m.params === null || typeof m.params !== 'object') return errorText(idRaw, RpcError.of(CODES.invalid));
      params = m.params; paramsRaw = doc.members.get('params');
    }
    const wanted = has('id');
    if (m.method.startsWith('$/') && !wanted) { if (m.method === '$/cancelRequest') ctx.inflight?.get(JSON.stringify(m.params?.id))?.abort(); return null; }
    const abort = new AbortController();
    const key = JSON.stringify(m.id);
    if (wanted) ctx.inflight?.set(key, abort);
    try {
      const fn = this.methods.get(m.method);
      if (!fn) throw RpcError.of(CODES.method);
      const r = await fn(params, { ...ctx, paramsRaw, signal: abort.signal });
      if (!wanted) return null;
      const text = r && typeof r === 'object' && 'raw' in r ? r.raw : JSON.stringify(r ?? null);
      return `{"jsonrpc":"2.0","id":${idRaw},"result":${text}}`;
    } catch (e) {
      if (!wanted) return null;
      return errorText(idRaw, e instanceof RpcError ? e : RpcError.of(CODES.internal));
    } finally { if (wanted) ctx.inflight?.delete(key); }
  }
}

/** The calling half of a two-way connection. */
export class Peer {
  constructor(send) { this.send = send; this.pending = new Map(); this.next = 0; }
  deliver(m, idRaw) {
    const p = this.pending.get(idRaw);
    if (!p) return; // unknown ids are dropped, never answered
    this.pending.delete(idRaw);
    if (m.error !== undefined && m.error !== null) p.reject(new RpcError(m.error.code, m.error.message, m.error.data)); else p.resolve(m.result);
  }
  request(method, params) {
    const id = ++this.next; // starts at 1: some peers treat id 0 as "no id"
    return new Promise((resolve, reject) => {
      this.pending.set(String(id), { resolve, reject });
      this.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
  }
  notify(method, params) { this.send(JSON.stringify({ jsonrpc: '2.0', method, params })); }
}
