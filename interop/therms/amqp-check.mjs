#!/usr/bin/env node
// Wire-level checks of AMQP peers: --handler plays a gateway against a handler process of the interop
// service, --gateway plays a handler against a gateway process. See README.md.
import { parseArgs } from 'node:util'
import amqp from 'amqplib'
import { Suite, assert, post, rid, sleep } from './lib/harness.mjs'
import { EXCHANGE_GLOBAL, EXCHANGE_SCOPED, exchangeFor, objectId } from './lib/wire.mjs'

const { values: o, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    amqp: { type: 'string', default: 'amqp://guest:guest@127.0.0.1:5672' },
    http: { type: 'string', default: 'http://127.0.0.1:3995/rpc' },
    handler: { type: 'boolean', default: false },
    gateway: { type: 'boolean', default: false },
    beyond: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
})
const S = new Suite()
const conn = o.list ? undefined : await amqp.connect(o.amqp + (o.amqp.includes('?') ? '&' : '?') + 'heartbeat=10')
const channel = async () => { const ch = await conn.createConfirmChannel(); ch.on('error', () => {}); return ch }

// ---- a gateway peer of our own
let gw
async function gatewayPeer() {
  if (gw) return gw
  const ch = await channel()
  await ch.assertExchange(EXCHANGE_GLOBAL, 'direct', { durable: true })
  await ch.assertExchange(EXCHANGE_SCOPED, 'direct', { durable: true })
  const queue = `amqp-check-rpc-${objectId()}`
  await ch.assertQueue(queue, { durable: false, autoDelete: true, exclusive: false })
  const waiting = new Map()
  const stray = []
  await ch.consume(queue, (m) => {
    let body
    try { body = JSON.parse(m.content.toString()) } catch {}
    const w = waiting.get(body?.request?.trace?.id)
    if (w) w({ m, body }); else stray.push({ m, body })
  }, { noAck: true })
  ch.on('return', (m) => { const w = waiting.get(m.properties.correlationId); w?.({ returned: m }) })
  gw = {
    ch, queue, stray,
    request(dto, { props = {}, ms = 3000, internal = false } = {}) {
      const id = dto.trace?.id ?? dto.correlationId ?? objectId()
      const { procedure } = dto
      const request = { ...dto, scope: dto.scope ?? 'global', version: dto.version ?? '1', trace: { caller: 'HttpServer', id, internal, ipAddress: '127.0.0.1', ...dto.trace } }
      const got = new Promise((res, rej) => {
        const t = setTimeout(() => rej(new Error(`no answer within ${ms} ms`)), ms)
        waiting.set(id, (v) => { clearTimeout(t); waiting.delete(id); res(v) })
      })
      ch.publish(exchangeFor(request.scope), `${request.scope}::${procedure}::${request.version}`, Buffer.from(JSON.stringify({ request })), {
        appId: 'amqp-check', correlationId: id, mandatory: true, replyTo: queue, type: 'request', ...props,
      })
      return got.then((v) => ({ ...v, id, request }))
    },
  }
  return gw
}
const h_ = (n, f, group = 'handler') => S.add(`handler-${n}`, group, async () => f(await gatewayPeer()))

h_('exchanges', async ({ ch }) => {
  // an existing exchange of another kind would close the channel
  const c = await channel()
  for (const x of [EXCHANGE_GLOBAL, EXCHANGE_SCOPED]) { await c.checkExchange(x); await c.assertExchange(x, 'direct', { durable: true, autoDelete: false, internal: false }) }
  await c.close()
})
h_('global', async (g) => {
  const { body, returned } = await g.request({ procedure: 'ping', correlationId: rid() })
  assert.ok(!returned, 'unroutable: not bound to rpc-global')
  assert.equal(body.response.data, 'pong')
})
h_('response-properties', async (g) => {
  const { m, id } = await g.request({ procedure: 'echo', scope: 'test', args: { x: 1 }, correlationId: rid() })
  assert.equal(m.fields.exchange, '')
  assert.equal(m.fields.routingKey, g.queue)
  assert.equal(m.properties.type, 'response')
  assert.equal(m.properties.correlationId, id)
  assert.ok(m.properties.appId, 'appId')
  assert.equal(m.properties.replyTo, undefined)
})
h_('response-body', async (g) => {
  const id = rid()
  const { body, request } = await g.request({ procedure: 'echo', scope: 'test', args: { x: [1, 'é'] }, correlationId: id, identity: { authorization: 'a' } })
  assert.deepEqual(Object.keys(body).sort(), ['request', 'response'])
  assert.deepEqual(body.request, request, 'the request is echoed')
  assert.deepEqual(body.response, { code: 200, correlationId: id, data: { x: [1, 'é'] }, success: true, trace: { id } })
})
h_('no-correlation', async (g) => {
  const { body, id } = await g.request({ procedure: 'echo', scope: 'test', args: 5 })
  assert.deepEqual(body.response, { code: 200, data: 5, success: true, trace: { id } })
})
h_('failure', async (g) => {
  const id = rid()
  const { body } = await g.request({ procedure: 'fail', scope: 'test', args: { code: 401, message: 'unauthorized', data: { k: 1 } }, correlationId: id })
  assert.deepEqual(body.response, { code: 401, correlationId: id, data: { k: 1 }, message: 'unauthorized', success: false, trace: { id } })
})
h_('exception', async (g) => {
  const { body } = await g.request({ procedure: 'throw', scope: 'test', correlationId: rid() })
  assert.equal(body.response.code, 500)
  assert.equal(body.response.message, 'server handler issue')
  assert.ok(!JSON.stringify(body.response).includes('secret detail'))
})
h_('args', async (g) => {
  const { body } = await g.request({ procedure: 'add', scope: 'math', args: { a: 1 }, correlationId: rid() })
  assert.equal(body.response.code, 422)
  assert.equal(body.response.message, `"args" validation failed: must have required property 'b'`)
})
h_('internal-refused', async (g) => {
  assert.equal((await g.request({ procedure: 'secret', scope: 'internal', correlationId: rid() })).body.response.code, 403)
})
h_('internal-allowed', async (g) => {
  const { body } = await g.request({ procedure: 'secret', scope: 'internal', trace: { caller: 'RPCServer.call a::b::1', id: objectId(), internal: true } })
  assert.equal(body.response.data.secret, 42)
  assert.equal(body.response.data.caller, 'RPCServer.call a::b::1')
})
h_('version', async (g) => assert.equal((await g.request({ procedure: 'echo', scope: 'test', version: '2', correlationId: rid() })).body.response.data.version, '2'))
h_('unbound-returned', async (g) => {
  const { returned } = await g.request({ procedure: rid('nope'), scope: 'nowhere', correlationId: rid() })
  assert.equal(returned?.fields.replyCode, 312)
})
h_('concurrent', async (g) => {
  const rs = await Promise.all(Array.from({ length: 200 }, (_, i) => g.request({ procedure: 'echo', scope: 'test', args: i, correlationId: rid() }, { ms: 10000 })))
  rs.forEach((r, i) => assert.equal(r.body.response.data, i))
})
h_('completion-order', async (g) => {
  const done = []
  await Promise.all([['a', 250], ['b', 50]].map(([tag, ms]) => g.request({ procedure: 'slow', scope: 'test', args: { ms, tag }, correlationId: rid() }).then((r) => done.push(r.body.response.data.tag))))
  assert.deepEqual(done, ['b', 'a'])
})
h_('hostile-messages', async (g) => {
  const key = 'test::echo::1'
  const send = (content, props) => g.ch.publish(EXCHANGE_SCOPED, key, Buffer.from(content), props)
  const req = (x) => JSON.stringify({ request: { procedure: 'echo', scope: 'test', version: '1', ...x } })
  send('not json', { type: 'request', replyTo: g.queue, correlationId: 'x' })
  send('null', { type: 'request', replyTo: g.queue })
  send('{}', { type: 'request', replyTo: g.queue })
  send('{"request":5}', { type: 'request', replyTo: g.queue })
  send(req({}), { type: 'request', replyTo: g.queue }) // no trace
  send(req({ trace: { id: 'x1', caller: 'c' } }), { type: 'request' }) // no reply queue
  send(req({ trace: { id: 'x2', caller: 'c' } }), { type: 'other', replyTo: g.queue })
  send(req({ trace: { id: 'x3', caller: 'c' } }), { replyTo: g.queue }) // no type
  send(req({ trace: { id: 'x4', caller: 'c' } }), { type: 'response', replyTo: g.queue })
  send(JSON.stringify({ request: { trace: { id: 'never' } }, response: { code: 200, success: true } }), { type: 'response' })
  await sleep(200)
  assert.equal((await g.request({ procedure: 'echo', scope: 'test', args: 'alive', correlationId: rid() })).body.response.data, 'alive')
})
h_('single-execution', async (g) => {
  // start two handler processes of the implementation under test for this one
  const before = g.stray.length
  await g.request({ procedure: 'ping', correlationId: rid() })
  await sleep(300)
  assert.equal(g.stray.length - before, 0, 'more than one process ran the request')
}, 'beyond-handler')

// ---- a handler peer of our own
async function probe(fn, { scope = rid('probe') } = {}) {
  const ch = await channel()
  const procedure = rid('p')
  const queue = `amqp-check-rpc-${objectId()}`
  await ch.assertExchange(EXCHANGE_GLOBAL, 'direct', { durable: true })
  await ch.assertExchange(EXCHANGE_SCOPED, 'direct', { durable: true })
  await ch.assertQueue(queue, { durable: false, autoDelete: true })
  await ch.bindQueue(queue, exchangeFor(scope), `${scope}::${procedure}::1`)
  const requests = []
  let onRequest
  await ch.consume(queue, (m) => { const body = JSON.parse(m.content.toString()); requests.push({ m, body }); onRequest?.({ m, body }) }, { noAck: true })
  const p = {
    ch, scope, procedure, requests,
    handle(f) { onRequest = f },
    reply: ({ m, body }, response, props = {}, request = body.request) =>
      ch.sendToQueue(m.properties.replyTo, Buffer.from(typeof response === 'string' ? response : JSON.stringify({ request, response })), {
        appId: 'amqp-check', correlationId: body.request.trace.id, type: 'response', ...props,
      }),
    call: (dto = {}) => post(o.http, { procedure, scope, ...dto }).then((r) => r.json),
  }
  try { return await fn(p) } finally { await ch.close().catch(() => {}) }
}
const ok = (data, id) => ({ code: 200, data, success: true, trace: { id } })
const g_ = (n, f, opt, group = 'gateway') => S.add(`gateway-${n}`, group, () => probe(f, opt))

g_('request-properties', async (p) => {
  p.handle((r) => p.reply(r, ok(1, r.body.request.trace.id)))
  const id = rid()
  await p.call({ correlationId: id })
  const { m, body } = p.requests[0]
  assert.equal(m.fields.exchange, EXCHANGE_SCOPED)
  assert.equal(m.fields.routingKey, `${p.scope}::${p.procedure}::1`)
  assert.equal(m.properties.type, 'request')
  assert.equal(m.properties.correlationId, body.request.trace.id)
  assert.ok(m.properties.replyTo, 'replyTo')
  assert.ok(m.properties.appId, 'appId')
})
g_('request-body', async (p) => {
  p.handle((r) => p.reply(r, ok(1, r.body.request.trace.id)))
  const id = rid()
  const identity = { authorization: 'jwt', metadata: { a: 1 } }
  await p.call({ correlationId: id, args: { x: [1] }, identity })
  const { body } = p.requests[0]
  assert.deepEqual(Object.keys(body), ['request'])
  const { trace, ...request } = body.request
  assert.deepEqual(request, { args: { x: [1] }, correlationId: id, identity, procedure: p.procedure, scope: p.scope, version: '1' })
  assert.equal(trace.id, id)
  assert.equal(trace.caller, 'HttpServer')
  assert.equal(trace.internal, false)
  assert.ok(trace.ipAddress)
})
g_('global', async (p) => {
  p.handle((r) => p.reply(r, ok('g', r.body.request.trace.id)))
  await p.call({ scope: undefined })
  assert.equal(p.requests[0].m.fields.exchange, EXCHANGE_GLOBAL)
}, { scope: 'global' })
g_('response', async (p) => {
  p.handle((r) => p.reply(r, { ...ok({ deep: [1] }, r.body.request.trace.id), message: 'hi' }))
  const id = rid()
  const r = await p.call({ correlationId: id })
  assert.deepEqual(r, { code: 200, correlationId: id, data: { deep: [1] }, message: 'hi', success: true })
})
g_('response-minimal', async (p) => {
  // only the echoed trace id and code/success; no correlationId property, no trace in the response
  p.handle((r) => p.reply(r, { code: 299, success: true, data: { v: 'm' } }, { correlationId: undefined, appId: undefined }, { trace: { id: r.body.request.trace.id } }))
  const r = await p.call({})
  assert.deepEqual(r.data, { v: 'm' })
})
g_('response-body-decides', async (p) => {
  p.handle((r) => p.reply(r, ok({ v: 'right' }, r.body.request.trace.id), { correlationId: 'something-else' }))
  const r = await p.call({})
  assert.deepEqual(r.data, { v: 'right' })
})
g_('unusable-responses-ignored', async (p) => {
  p.handle(async (r) => {
    const id = r.body.request.trace.id
    p.reply(r, 'not json')
    p.reply(r, '{}')
    p.reply(r, JSON.stringify({ request: r.body.request })) // no response
    p.reply(r, ok('stranger', 'zzz'), {}, { trace: { id: 'zzz' } })
    p.reply(r, ok('typeless', id), { type: undefined })
    await sleep(50)
    p.reply(r, ok({ v: 'fine' }, id))
    p.reply(r, ok('late', id))
  })
  const r = await p.call({})
  assert.deepEqual(r.data, { v: 'fine' })
})
g_('no-handler', async (p) => {
  const r = await post(o.http, { procedure: rid('nope'), scope: 'nowhere', correlationId: 'n' })
  assert.deepEqual(r.json, { code: 501, correlationId: 'n', message: 'no registered handlers for RPC', success: false })
})
g_('concurrent', async (p) => {
  p.handle(async (r) => { await sleep(Math.random() * 30); p.reply(r, ok(r.body.request.args, r.body.request.trace.id)) })
  const rs = await Promise.all(Array.from({ length: 200 }, (_, i) => p.call({ args: { i }, correlationId: rid() })))
  rs.forEach((r, i) => assert.equal(r.data.i, i))
})
g_('reply-queue-stable', async (p) => {
  p.handle((r) => p.reply(r, ok(1, r.body.request.trace.id)))
  await p.call({})
  await p.call({})
  assert.equal(p.requests[0].m.properties.replyTo, p.requests[1].m.properties.replyTo)
})
g_('own-correlation', async (p) => {
  // the caller gets its own correlationId back, whatever the handler put into the answer
  p.handle((r) => p.reply(r, { ...ok(1, 'x'), correlationId: 'forged' }, {}, { ...r.body.request, correlationId: 'forged' }))
  assert.equal((await p.call({ correlationId: 'mine' })).correlationId, 'mine')
}, {}, 'beyond-gateway')

if (o.list) { for (const c of S.checks) console.log(c.group.padEnd(15), c.name); process.exit(0) }
const groups = new Set()
if (o.handler) groups.add('handler')
if (o.gateway) groups.add('gateway')
if (o.beyond && o.handler) groups.add('beyond-handler')
if (o.beyond && o.gateway) groups.add('beyond-gateway')
if (!groups.size && !positionals.length) { console.error('give --handler and/or --gateway'); process.exit(2) }
const failed = await S.run({ groups, only: positionals })
await conn.close()
process.exit(failed ? 1 : 0)
