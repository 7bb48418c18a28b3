#!/usr/bin/env node
// Runs the named checks of README.md against a gateway.
import { parseArgs } from 'node:util'
import zlib from 'node:zlib'
import { Suite, assert, rawHttp, post, h2Post, rawWs, rid, sleep } from './lib/harness.mjs'
import { RPCClient } from './lib/rpc-client.mjs'
import { spawned } from './lib/spawned.mjs'

const { values: o, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    http: { type: 'string', default: 'http://127.0.0.1:3995/rpc' },
    ws: { type: 'string', default: 'ws://127.0.0.1:3996' },
    spawn: { type: 'string' }, // a command that starts the server, in place of its addresses
    mode: { type: 'string', default: 'single' }, // single: gateway answers itself; network: handlers elsewhere
    beyond: { type: 'boolean', default: false }, // hardening that the reference server lacks
    h2: { type: 'boolean', default: false }, // HTTP/2 with prior knowledge on the HTTP port
    slow: { type: 'boolean', default: false }, // the 30 s timeout (network mode)
    skip: { type: 'string', default: '' }, // comma separated names or prefixes ending in *
    list: { type: 'boolean', default: false },
  },
})
const server = o.spawn ? await spawned(o.spawn) : undefined
const H = server?.http ?? o.http
const W = server?.ws ?? o.ws
const network = o.mode === 'network'
const S = new Suite()
const http_ = (n, f) => S.add(`http-${n}`, 'http', f)
const ws_ = (n, f) => S.add(`ws-${n}`, 'ws', () => f())
const rpc_ = (n, f) => S.add(`rpc-${n}`, 'rpc', f)
const net_ = (n, f) => S.add(`net-${n}`, 'net', f)
const beyond_ = (n, f) => S.add(`beyond-${n}`, 'beyond', f)

// body of a call, after checking what holds for every answer
async function call(dto, opt) {
  const r = await post(H, dto, opt)
  assert.equal(r.status, 200, 'HTTP status')
  assert.match(r.headers['content-type'] ?? '', /^application\/json/)
  assert.ok(r.json && typeof r.json === 'object', 'JSON body')
  for (const k of Object.keys(r.json)) assert.ok(['code', 'correlationId', 'data', 'message', 'success'].includes(k), `unexpected member ${k}`)
  return r.json
}
const isError = (r, code) => { assert.equal(r.code, code); assert.equal(r.success, false) }
async function onWs(fn, opt) { const c = await rawWs(opt?.url ?? W, opt); try { return await fn(c) } finally { c.end() } }
const A = (authorization, more) => ({ authorization, ...more })

// ---------------------------------------------------------------- HTTP
http_('ok', async () => assert.deepEqual(await call({ procedure: 'ping' }), { code: 200, data: 'pong', success: true }))
http_('correlation', async () => {
  for (const id of ['abc', 'ünï', { a: [1] }]) {
    if (network && typeof id !== 'string') continue // the reference network needs strings; see beyond-correlation-types
    assert.deepEqual(await call({ procedure: 'ping', correlationId: id }), { code: 200, correlationId: id, data: 'pong', success: true })
  }
})
http_('scope', async () => {
  assert.deepEqual((await call({ procedure: 'scoped' })).data, { scope: 'global' })
  assert.deepEqual((await call({ procedure: 'scoped', scope: '' })).data, { scope: 'global' })
  assert.deepEqual((await call({ procedure: 'scoped', scope: 'first', version: '1' })).data, { scope: 'first' })
})
http_('version', async () => {
  assert.equal((await call({ procedure: 'echo', scope: 'test', version: '1', args: 1 })).data, 1)
  assert.deepEqual((await call({ procedure: 'echo', scope: 'test', version: '2', args: 1 })).data, { version: '2', args: 1 })
  assert.deepEqual((await call({ procedure: 'echo', scope: 'test', version: 2, args: 1 })).data, { version: '2', args: 1 }, 'number as version')
})
http_('any-path', async () => {
  for (const path of ['/', '/rpc', '/a/b?c=d']) assert.equal((await post(H, { procedure: 'ping' }, { raw: { path } })).json.data, 'pong', path)
})
http_('echo-args', async () => {
  for (const args of [{ a: [1, 2.5, -1e-7, null, true, 'é✓😀', ''], b: {}, 'x/y': { '': 0 } }, 'text', 7, false, [], [[[]]]])
    assert.deepEqual((await call({ procedure: 'echo', scope: 'test', args })).data, args)
})
http_('no-args', async () => assert.equal((await call({ procedure: 'echo', scope: 'test' })).data, null))
http_('no-data', async () => assert.deepEqual(await call({ procedure: 'no-data', scope: 'test' }), { code: 204, success: true }))
http_('error-thrown', async () =>
  assert.deepEqual(await call({ procedure: 'fail', scope: 'test', correlationId: 'e', args: { code: 401, message: 'unauthorized', data: { left: 2 } } }), {
    code: 401, correlationId: 'e', data: { left: 2 }, message: 'unauthorized', success: false,
  }))
http_('error-returned', async () =>
  assert.deepEqual(await call({ procedure: 'return-fail', scope: 'test' }), { code: 409, data: { reason: 'taken' }, message: 'conflict', success: false }))
http_('error-exception', async () => {
  const r = await call({ procedure: 'throw', scope: 'test', correlationId: 'x' })
  assert.deepEqual(r, { code: 500, correlationId: 'x', message: 'server handler issue', success: false })
})
http_('error-bad-return', async () => isError(await call({ procedure: 'bad-return', scope: 'test' }), 500))
http_('unknown-procedure', async () => {
  const r = await call({ procedure: rid('nope'), scope: 'nowhere', correlationId: 'u' })
  isError(r, 501)
  assert.equal(r.correlationId, 'u')
  assert.ok(r.message)
})
http_('unknown-version', async () => isError(await call({ procedure: 'ping', version: '99' }), 501))
const text = (s) => `"args" validation failed: ${s}`
http_('args-missing', async () => {
  assert.deepEqual(await call({ procedure: 'add', scope: 'math', correlationId: 'v', args: { a: 1 } }), {
    code: 422, correlationId: 'v', message: text("must have required property 'b'"), success: false,
  })
})
http_('args-absent', async () => assert.equal((await call({ procedure: 'add', scope: 'math' })).message, text("must have required property 'a'")))
http_('args-type', async () => assert.equal((await call({ procedure: 'add', scope: 'math', args: { a: 'x', b: 1 } })).message, text('/amust be number')))
http_('args-not-object', async () => assert.equal((await call({ procedure: 'add', scope: 'math', args: [1, 2] })).message, text('must be object')))
http_('args-nested', async () =>
  assert.equal((await call({ procedure: 'strict', scope: 'test', args: { location_id: 'x', deep: { n: 0 } } })).message, text('/deep/nmust be >= 1')))
http_('args-coerced', async () => assert.deepEqual((await call({ procedure: 'add', scope: 'math', args: { a: '2', b: [40] } })).data, { sum: 42 }))
http_('args-shaped', async () =>
  assert.deepEqual((await call({ procedure: 'strict', scope: 'test', args: { location_id: 5, tags: 'one', extra: true } })).data, { location_id: '5', tags: ['one'], limit: 10 }))
http_('malformed-json', async () => isError(await call(undefined, { raw: { body: '{"procedure":"ping"' } }), 400))
http_('empty-body', async () => {
  for (const body of ['', '{}', '[]']) isError(await call(undefined, { raw: { body } }), 400)
})
http_('not-an-object', async () => {
  for (const body of ['5', 'null', '"x"', 'true', '[{"procedure":"ping"}]']) isError(await call(undefined, { raw: { body } }), 400)
})
http_('no-procedure', async () => {
  for (const dto of [{ scope: 'test' }, { procedure: '' }]) isError(await call(dto), 400)
})
http_('content-type', async () => {
  assert.equal((await post(H, { procedure: 'ping' }, { headers: { 'content-type': 'application/json; charset=utf-8' } })).json.data, 'pong')
  isError((await rawHttp(H, { headers: { 'content-type': 'text/plain' }, body: '{"procedure":"ping"}' })).json, 400)
})
http_('get-empty', async () => isError((await rawHttp(H, { method: 'GET' })).json, 400))
http_('identity', async () => {
  const identity = A('jwt-1', { deviceName: 'd', metadata: { k: [1] } })
  assert.deepEqual((await call({ procedure: 'whoami', scope: 'test', identity })).data, { identity })
})
http_('identity-stateless', async () => {
  await call({ procedure: 'whoami', scope: 'test', identity: A('jwt-1') })
  assert.deepEqual((await call({ procedure: 'whoami', scope: 'test' })).data, { identity: null })
})
http_('internal-refused', async () => {
  const r = await call({ procedure: 'secret', scope: 'internal', correlationId: 'n', internal: true, trace: { internal: true, caller: 'x', id: 'y' } })
  assert.deepEqual(r, { code: 403, correlationId: 'n', message: 'caller is not authorized to access this RPC', success: false })
})
http_('internal-call', async () => {
  const { data } = await call({ procedure: 'call-internal', scope: 'test', identity: A('jwt-2') })
  const { secret, identity, caller, internal } = data.inner
  assert.deepEqual({ secret, identity, caller, internal }, { secret: 42, identity: A('jwt-2'), caller: 'RPCServer.call test::call-internal::1', internal: true })
})
http_('internal-call-fails', async () => {
  const r = await call({ procedure: 'call-fail', scope: 'test' })
  isError(r, 418)
  assert.equal(r.message, 'inner')
})
http_('internal-call-missing', async () => {
  const { data } = await call({ procedure: 'call-missing', scope: 'test' })
  assert.equal(data.code, 501)
  assert.equal(data.success, false)
})
http_('trace', async () => {
  const id = rid('t')
  const { data } = await call({ procedure: 'trace', scope: 'test', correlationId: id })
  assert.equal(data.trace.caller, 'HttpServer')
  assert.equal(data.trace.id, id)
  assert.equal(data.trace.internal, false)
  assert.match(data.trace.ipAddress, /^(::ffff:)?127\.0\.0\.1$|^::1$/)
  assert.deepEqual([data.scope, data.procedure, data.version, data.correlationId], ['test', 'trace', '1', id])
})
http_('trace-generated', async () => {
  const { data } = await call({ procedure: 'trace', scope: 'test' })
  assert.match(data.trace.id, /^[0-9a-f]{24}$/)
  assert.equal(data.correlationId, undefined)
})
http_('cors-simple', async () => assert.equal((await post(H, { procedure: 'ping' }, { headers: { origin: 'https://app.example' } })).headers['access-control-allow-origin'], '*'))
http_('cors-preflight', async () => {
  const r = await rawHttp(H, { method: 'OPTIONS', headers: { origin: 'https://app.example', 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type, x-custom' } })
  assert.equal(r.status, 204)
  assert.equal(r.headers['access-control-allow-origin'], '*')
  assert.match(r.headers['access-control-allow-methods'], /POST/)
  assert.match(r.headers['access-control-allow-headers'], /content-type/i)
  assert.equal(r.headers['access-control-max-age'], '600')
})
http_('health', async () => {
  const r = await rawHttp(H, { method: 'GET', path: '/health' })
  assert.equal(r.status, 200)
  assert.equal(r.text, 'ok')
})
http_('gzip', async () => {
  const body = zlib.gzipSync(JSON.stringify({ procedure: 'ping' }))
  assert.equal((await rawHttp(H, { headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' }, body })).json.data, 'pong')
})
http_('chunked', async () => {
  const r = await rawHttp(H, { headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' }, chunked: true, body: JSON.stringify({ procedure: 'ping' }) })
  assert.equal(r.json.data, 'pong')
})
http_('big-request', async () => {
  const args = 'x'.repeat(1024 * 1024 - 300)
  assert.equal((await call({ procedure: 'echo', scope: 'test', args })).data, args)
})
http_('too-big-request', async () => {
  let r
  try { r = await post(H, { procedure: 'echo', scope: 'test', args: 'x'.repeat(1024 * 1024 + 10) }) } catch (e) { if (['ECONNRESET', 'EPIPE'].includes(e.code)) return; throw e }
  assert.equal(r.json.success, false)
})
http_('big-response', async () => assert.equal((await call({ procedure: 'big', scope: 'test', args: { size: 2000000 } })).data.blob.length, 2000000))
http_('parallel', async () => {
  const n = 100
  const rs = await Promise.all(Array.from({ length: n }, (_, i) => call({ procedure: 'slow', scope: 'test', correlationId: rid(), args: { ms: (i * 7) % 50, tag: i } })))
  rs.forEach((r, i) => assert.equal(r.data.tag, i))
})
S.add('http2-ok', 'h2', async () => {
  const r = await h2Post(H, { procedure: 'ping', correlationId: 'h2' })
  assert.equal(r.status, 200)
  assert.deepEqual(r.json, { code: 200, correlationId: 'h2', data: 'pong', success: true })
})

// ---------------------------------------------------------------- WebSocket
ws_('call', () => onWs(async (c) => assert.deepEqual(await c.ask({ procedure: 'ping', correlationId: 'w' }), { code: 200, correlationId: 'w', data: 'pong', success: true })))
ws_('no-correlation', () => onWs(async (c) => assert.deepEqual(await c.ask({ procedure: 'ping' }), { code: 200, data: 'pong', success: true })))
ws_('any-path', () => onWs(async (c) => assert.equal((await c.ask({ procedure: 'ping', correlationId: '1' })).data, 'pong'), { url: new URL('/some/path?x=1', W).href }))
ws_('errors', () => onWs(async (c) => {
  assert.deepEqual(await c.ask({ procedure: 'fail', scope: 'test', args: { code: 401, message: 'unauthorized' }, correlationId: '1' }), { code: 401, correlationId: '1', message: 'unauthorized', success: false })
  isError(await c.ask({ procedure: 'add', scope: 'math', args: { a: 1 }, correlationId: '2' }), 422)
  const r = await c.ask({ procedure: rid('nope'), scope: 'nowhere', correlationId: '3' })
  isError(r, 501)
  assert.equal(r.correlationId, '3')
}))
ws_('completion-order', () => onWs(async (c) => {
  for (const [tag, ms] of [['a', 250], ['b', 60]]) c.send({ procedure: 'slow', scope: 'test', args: { ms, tag }, correlationId: tag })
  c.send({ procedure: 'ping', correlationId: 'c' })
  const got = [await c.next(), await c.next(), await c.next()].map((m) => m.correlationId)
  assert.deepEqual(got, ['c', 'b', 'a'])
}))
ws_('trace', () => onWs(async (c) => {
  const id = rid('t')
  const { data } = await c.ask({ procedure: 'trace', scope: 'test', correlationId: id })
  assert.equal(data.trace.caller, 'WebSocketServer')
  assert.equal(data.trace.id, id)
  assert.equal(data.trace.internal, false)
}))
ws_('identity-ack', () => onWs(async (c) => {
  assert.deepEqual(await c.ask({ identity: A('jwt-1'), correlationId: 'i' }), { code: 200, correlationId: 'i', success: true })
  assert.deepEqual(await c.ask({ identity: A('jwt-1') }), { code: 200, success: true })
}))
ws_('identity-kept', () => onWs(async (c) => {
  const identity = A('jwt-1', { deviceName: 'phone', metadata: { lang: 'en' } })
  await c.ask({ identity, correlationId: '1' })
  for (const id of ['2', '3']) assert.deepEqual((await c.ask({ procedure: 'whoami', scope: 'test', correlationId: id })).data, { identity })
}))
ws_('identity-in-call', () => onWs(async (c) => {
  assert.deepEqual((await c.ask({ procedure: 'whoami', scope: 'test', identity: A('jwt-3'), correlationId: '1' })).data, { identity: A('jwt-3') })
  assert.deepEqual((await c.ask({ procedure: 'whoami', scope: 'test', correlationId: '2' })).data, { identity: A('jwt-3') })
}))
ws_('identity-metadata-change', () => onWs(async (c) => {
  await c.ask({ identity: A('jwt-1'), correlationId: '1' })
  assert.equal((await c.ask({ identity: A('jwt-1', { metadata: { v: 2 } }), correlationId: '2' })).code, 200)
  assert.deepEqual((await c.ask({ procedure: 'whoami', scope: 'test', correlationId: '3' })).data, { identity: A('jwt-1', { metadata: { v: 2 } }) })
}))
ws_('identity-authorization-change', () => onWs(async (c) => {
  await c.ask({ identity: A('jwt-1'), correlationId: '1' })
  const r = await c.ask({ identity: A('jwt-2'), correlationId: '2' })
  isError(r, 400)
  assert.equal(r.correlationId, '2')
  await c.waitClosed()
}))
ws_('identity-authorization-change-in-call', () => onWs(async (c) => {
  const key = rid('k')
  await c.ask({ identity: A('jwt-1'), correlationId: '1' })
  isError(await c.ask({ procedure: 'count', scope: 'test', args: { key }, identity: A('jwt-2'), correlationId: '2' }), 400)
  await c.waitClosed()
  assert.equal((await call({ procedure: 'count', scope: 'test', args: { key } })).data.count, 1, 'the refused call must not run')
}))
ws_('identity-per-connection', () => onWs(async (a) => onWs(async (b) => {
  await a.ask({ identity: A('jwt-a'), correlationId: '1' })
  await b.ask({ identity: A('jwt-b'), correlationId: '1' })
  assert.deepEqual((await a.ask({ procedure: 'whoami', scope: 'test', correlationId: '2' })).data, { identity: A('jwt-a') })
  assert.deepEqual((await b.ask({ procedure: 'whoami', scope: 'test', correlationId: '2' })).data, { identity: A('jwt-b') })
})))
ws_('identity-invalid', () => onWs(async (c) => {
  c.send({ identity: { authorization: 5 }, correlationId: '1' })
  const r = await c.maybe(300) // silence or a refusal, never an acknowledgement
  if (r) assert.equal(r.success, false)
  assert.deepEqual((await c.ask({ procedure: 'whoami', scope: 'test', correlationId: '2' })).data, { identity: null })
}))
ws_('identity-null-in-call', () => onWs(async (c) => {
  await c.ask({ identity: A('jwt-1'), correlationId: '1' })
  assert.deepEqual((await c.ask({ procedure: 'whoami', scope: 'test', identity: null, correlationId: '2' })).data, { identity: null })
  assert.deepEqual((await c.ask({ procedure: 'whoami', scope: 'test', correlationId: '3' })).data, { identity: A('jwt-1') })
}))
ws_('client-message', () => onWs(async (c) => {
  for (const clientMessage of [{ hello: 'world' }, 'text', 0, null, [1]]) {
    const { serverMessage } = await c.ask({ clientMessage })
    assert.deepEqual(serverMessage.echo, clientMessage)
    assert.equal(serverMessage.identity, null)
    assert.match(serverMessage.connectionId, /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  }
}))
ws_('client-message-identity', () => onWs(async (c) => {
  assert.deepEqual((await c.ask({ clientMessage: 1, identity: A('jwt-m') })).serverMessage.identity, A('jwt-m'))
  assert.deepEqual((await c.ask({ procedure: 'whoami', scope: 'test', correlationId: '2' })).data, { identity: A('jwt-m') })
}))
ws_('client-message-wins', () => onWs(async (c) => assert.equal((await c.ask({ clientMessage: 1, procedure: 'ping', correlationId: 'x' })).serverMessage.echo, 1)))
ws_('server-message-target', () => onWs(async (a) => onWs(async (b) => {
  const m = (await a.ask({ clientMessage: 'only-a' })).serverMessage
  const n = (await b.ask({ clientMessage: 'only-b' })).serverMessage
  assert.notEqual(m.connectionId, n.connectionId)
  assert.equal(n.echo, 'only-b')
  assert.equal(await a.maybe(150), undefined)
  assert.equal(await b.maybe(10), undefined)
})))
ws_('malformed', () => onWs(async (c) => {
  for (const frame of ['{"procedure":', 'hello', '{}', '{"correlationId":"x"}', '[{"procedure":"ping"}]']) {
    c.send(frame)
    const r = await c.maybe(120)
    if (r) assert.equal(r.success, false, frame)
  }
  assert.equal((await c.ask({ procedure: 'ping', correlationId: 'alive' })).data, 'pong')
}))
ws_('ping-pong', () => onWs(async (c) => {
  const p = new Promise((r) => c.ws.once('pong', r))
  c.ws.ping('hi')
  assert.equal((await p).toString(), 'hi')
}))
ws_('close', () => onWs(async (c) => { c.ws.close(1000); assert.equal((await c.waitClosed()).code, 1000) }))
ws_('big-message', () => onWs(async (c) => assert.equal((await c.ask({ procedure: 'echo', scope: 'test', args: 'x'.repeat(3e6), correlationId: 'b' }, 10000)).data.length, 3e6)))
ws_('internal', () => onWs(async (c) => {
  await c.ask({ identity: A('jwt-9'), correlationId: '1' })
  isError(await c.ask({ procedure: 'secret', scope: 'internal', correlationId: '2' }), 403)
  assert.deepEqual((await c.ask({ procedure: 'call-internal', scope: 'test', correlationId: '3' })).data.inner.identity, A('jwt-9'))
}))
ws_('parallel', () => onWs(async (c) => {
  const n = 300
  for (let i = 0; i < n; i++) c.send({ procedure: 'echo', scope: 'test', args: { i }, correlationId: `p${i}` })
  const seen = new Set()
  for (let i = 0; i < n; i++) { const m = await c.next(); assert.equal(`p${m.data.i}`, m.correlationId); seen.add(m.correlationId) }
  assert.equal(seen.size, n)
}))
ws_('events', async () => {
  const tag = rid('jwt')
  let connectionId
  await onWs(async (c) => {
    await c.ask({ identity: A(tag), correlationId: '1' })
    await c.ask({ identity: A(tag), correlationId: '2' }) // unchanged: no event
    connectionId = (await c.ask({ clientMessage: 'm' })).serverMessage.connectionId
  })
  await sleep(150)
  const { data } = await call({ procedure: 'events', scope: 'gateway' })
  const mine = data.events.filter((e) => e.connectionId === connectionId)
  assert.deepEqual(mine.map((e) => e.event), ['connect', 'identity', 'message', 'disconnect'])
  assert.deepEqual(mine[1].identity, A(tag))
  assert.deepEqual(mine[3].identity, A(tag))
  assert.ok(mine[0].ip)
})

// ---------------------------------------------------------------- the documented client
async function client(opt, fn) {
  const c = new RPCClient({ hosts: { http: H, websocket: W }, ...opt })
  try { if (c.hosts.websocket) await c.whenConnected(); return await fn(c) } finally { c.close() }
}
for (const [way, hosts] of [['http', { http: H }], ['ws', { websocket: W }]]) {
  rpc_(`${way}-shorthand`, () => client({ hosts }, async (c) => {
    assert.equal((await c.call('test::echo::1', { a: 1 })).data.a, 1)
    assert.equal((await c.call('global::ping::1')).data, 'pong')
    assert.deepEqual((await c.makeProcedure('math::add::1')({ a: 1, b: 2 })).data, { sum: 3 })
  }))
  rpc_(`${way}-throws`, () => client({ hosts }, async (c) => {
    await assert.rejects(c.call({ procedure: 'fail', scope: 'test', args: { code: 401, message: 'no' } }), (e) => e.code === 401 && e.message === 'no' && e.success === false)
  }))
  rpc_(`${way}-identity`, () => client({ hosts }, async (c) => {
    await c.setIdentity(A('jwt-c', { deviceName: 'd' }))
    assert.deepEqual((await c.call('test::whoami::1')).data, { identity: A('jwt-c', { deviceName: 'd' }) })
    await c.setIdentityMetadata({ m: 1 })
    assert.deepEqual((await c.call('test::whoami::1')).data, { identity: A('jwt-c', { deviceName: 'd', metadata: { m: 1 } }) })
  }))
}
rpc_('identity-resent-after-reconnect', () => client({ hosts: { websocket: W } }, async (c) => {
  await c.setIdentity(A('jwt-r'))
  c.ws.terminate()
  await sleep(20)
  await c.whenConnected()
  assert.deepEqual((await c.call('test::whoami::1')).data, { identity: A('jwt-r') })
}))
rpc_('identity-new-authorization', () => client({ hosts: { websocket: W } }, async (c) => {
  await c.setIdentity(A('jwt-1'))
  await c.setIdentity(A('jwt-2'))
  await sleep(50)
  await c.whenConnected()
  assert.deepEqual((await c.call('test::whoami::1')).data, { identity: A('jwt-2') })
}))
rpc_('fallback-to-http', () => client({}, async (c) => {
  c.reconnectMs = 1e6
  c.ws.terminate()
  await sleep(50)
  assert.equal((await c.call('global::ping::1')).data, 'pong')
}))
rpc_('messages', () => client({ hosts: { websocket: W } }, async (c) => {
  const got = new Promise((r) => c.subscribeToServerMessages(r))
  c.sendClientMessageToServer({ n: 1 })
  assert.deepEqual((await got).echo, { n: 1 })
}))
rpc_('in-flight-shared', () => client({}, async (c) => {
  const key = rid('k')
  const [x, y] = await Promise.all([c.call('test::count::1', { key, ms: 50 }), c.call('test::count::1', { ms: 50, key })])
  assert.deepEqual([x.data.count, y.data.count], [1, 1])
  assert.equal((await c.call('test::count::1', { key, ms: 50 })).data.count, 2)
}))
rpc_('cache', () => client({ cacheMaxAgeMs: 300 }, async (c) => {
  const key = rid('k')
  const n = async () => (await c.call('test::count::1', { key })).data.count
  assert.deepEqual([await n(), await n()], [1, 1])
  await sleep(350)
  assert.equal(await n(), 2)
}))
rpc_('deadline', () => client({ hosts: { websocket: W }, deadlineMs: 150 }, async (c) => {
  await assert.rejects(c.call('test::slow::1', { ms: 600 }), /150 ms/)
  assert.equal((await c.call('global::ping::1')).data, 'pong')
}))

// ---------------------------------------------------------------- network mode
net_('handled-elsewhere', async () => {
  const r = await call({ procedure: 'server', scope: 'test' })
  assert.ok(r.data.displayName)
})
net_('no-handler-message', async () => {
  const r = await call({ procedure: rid('nope'), scope: 'nowhere', correlationId: 'n' })
  assert.deepEqual(r, { code: 501, correlationId: 'n', message: 'no registered handlers for RPC', success: false })
})
net_('many', async () => {
  const rs = await Promise.all(Array.from({ length: 300 }, (_, i) => call({ procedure: 'echo', scope: 'test', args: i, correlationId: rid() })))
  rs.forEach((r, i) => assert.equal(r.data, i))
})
S.add('slow-timeout', 'slow', async () => {
  const t0 = Date.now()
  const r = await call({ procedure: 'blackhole', scope: 'test', correlationId: rid('t') })
  const ms = Date.now() - t0
  isError(r, 500)
  assert.equal(r.message, 'no response received (timed out)')
  assert.ok(ms > 28000 && ms < 34000, `took ${ms} ms`)
})

// ---------------------------------------------------------------- beyond the reference
beyond_('inner-failure-keeps-correlation', async () => {
  assert.deepEqual(await call({ procedure: 'call-fail', scope: 'test', correlationId: 'keep' }), { code: 418, correlationId: 'keep', message: 'inner', success: false })
  await onWs(async (c) => assert.equal((await c.ask({ procedure: 'call-fail', scope: 'test', correlationId: 'keep' })).correlationId, 'keep'))
})
beyond_('correlation-types', async () => {
  for (const id of [7, true, { a: [1] }, ['x'], 'y'.repeat(300)])
    for (const dto of [{ procedure: 'ping' }, { procedure: rid('nope'), scope: 'nowhere' }]) {
      const r = await call({ ...dto, correlationId: id })
      assert.deepEqual(r.correlationId, id)
      assert.equal(r.code, dto.scope ? 501 : 200)
    }
})
beyond_('correlation-collision', async () => {
  const id = rid('same')
  const one = call({ procedure: 'slow', scope: 'test', args: { ms: 150, tag: 'first' }, correlationId: id })
  await sleep(30)
  const two = call({ procedure: 'slow', scope: 'test', args: { ms: 300, tag: 'second' }, correlationId: id })
  const limit = sleep(5000).then(() => ({ data: { tag: 'no answer' } }))
  assert.equal((await Promise.race([two, limit])).data.tag, 'second')
  assert.equal((await Promise.race([one, limit])).data.tag, 'first')
})
beyond_('hostile-frames', () => onWs(async (bystander) => {
  for (const frame of [Buffer.from('{"procedure":"ping"}'), 'null', '123', '"x"', 'true', Buffer.alloc(0)]) {
    const c = await rawWs(W)
    c.send(frame)
    await sleep(60)
    c.end()
  }
  await sleep(200)
  assert.equal((await bystander.ask({ procedure: 'ping', correlationId: 'alive' })).data, 'pong')
  assert.equal((await call({ procedure: 'ping' })).data, 'pong')
}))
beyond_('malformed-has-cors', async () => {
  const r = await rawHttp(H, { headers: { 'content-type': 'application/json', origin: 'https://app.example' }, body: '{"a' })
  assert.equal(r.headers['access-control-allow-origin'], '*')
})
beyond_('health-any-body', async () => {
  const r = await rawHttp(H, { method: 'POST', path: '/health', headers: { 'content-type': 'application/json' }, body: '{"a' })
  assert.equal(r.text, 'ok')
})
beyond_('invalid-identity-answered', () => onWs(async (c) => {
  const r = await c.ask({ procedure: 'ping', identity: { authorization: 5 }, correlationId: 'q' })
  isError(r, 400)
  assert.equal(r.correlationId, 'q')
}))
beyond_('proto-names', async () => {
  for (const [scope, procedure] of [['__proto__', 'x'], ['constructor', 'toString'], ['test', '__proto__'], ['a::b', 'c']])
    isError(await call({ scope, procedure }), 501)
})

const groups = new Set(['http', 'ws', 'rpc'])
if (network) groups.add('net')
if (network && o.slow) groups.add('slow')
if (o.beyond) groups.add('beyond')
if (o.h2) groups.add('h2')
const skip = o.skip.split(',').filter(Boolean)
S.checks = S.checks.filter((c) => !skip.some((s) => (s.endsWith('*') ? c.name.startsWith(s.slice(0, -1)) : c.name === s)))
if (o.list) { for (const c of S.checks) console.log(c.group.padEnd(8), c.name); server?.stop(); process.exit(0) }
const failed = await S.run({ groups, only: positionals })
server?.stop()
process.exit(failed ? 1 : 0)
