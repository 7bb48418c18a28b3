// The interop service of README.md.
import { Failure, sleep } from './wire.mjs'

const ok = (data) => ({ code: 200, data, success: true })
const orNull = (v) => (v === undefined ? null : v)

export function registerService(registry, { displayName, scopes }) {
  const counts = new Map()
  const on = (scope, procedure, version, handler, more) => {
    if (!scopes || scopes.includes(scope)) registry.register({ scope, procedure, version, ...more }, handler)
  }

  on('global', 'ping', '1', async () => ok('pong'), { description: 'liveness probe' })
  on('test', 'echo', '1', async (r) => ok(orNull(r.args)))
  on('test', 'echo', '2', async (r) => ok({ version: '2', args: orNull(r.args) }))
  on('global', 'scoped', '1', async () => ok({ scope: 'global' }))
  on('first', 'scoped', '1', async () => ok({ scope: 'first' }))
  on('test', 'whoami', '1', async (r) => ok({ identity: orNull(r.identity) }))
  on('test', 'trace', '1', async (r) => ok({ trace: r.trace, scope: r.scope, procedure: r.procedure, version: r.version, correlationId: r.correlationId }))
  on('test', 'fail', '1', async (r) => { throw new Failure(r.args.code, r.args.message, r.args.data) })
  on('test', 'return-fail', '1', async () => ({ code: 409, message: 'conflict', data: { reason: 'taken' }, success: false }))
  on('test', 'throw', '1', async () => { throw new Error('secret detail') })
  on('test', 'bad-return', '1', async () => ({ hello: 'world' }))
  on('test', 'no-data', '1', async () => ({ code: 204, success: true }))
  on('math', 'add', '1', async (r) => ok({ sum: r.args.a + r.args.b }), {
    args: { type: 'object', properties: { a: { type: 'number' }, b: { type: 'number' } }, required: ['a', 'b'], additionalProperties: false },
  })
  on('test', 'strict', '1', async (r) => ok(r.args), {
    args: {
      type: 'object',
      properties: {
        location_id: { type: 'string' },
        tags: { type: 'array', items: { type: 'string' } },
        limit: { type: 'integer', default: 10 },
        deep: { type: 'object', properties: { n: { type: 'integer', minimum: 1 } }, required: ['n'] },
      },
      required: ['location_id'],
      additionalProperties: false,
    },
  })
  on('test', 'slow', '1', async (r) => { await sleep(r.args.ms); return ok({ slept: r.args.ms, tag: r.args.tag }) })
  on('internal', 'secret', '1', async (r) => ok({ secret: 42, identity: orNull(r.identity), caller: r.trace.caller, internal: r.trace.internal }), { internal: true })
  on('test', 'call-internal', '1', async (r, call) => ok({ inner: (await call({ procedure: 'secret', scope: 'internal', version: '1' })).data }))
  on('test', 'call-fail', '1', async (r, call) => ok({ inner: (await call({ procedure: 'fail', scope: 'test', version: '1', args: { code: 418, message: 'inner' } })).data }))
  on('test', 'call-missing', '1', async (r, call) => {
    try { await call({ procedure: 'missing', scope: 'nowhere', version: '1' }); return ok('unexpected') } catch (e) { return ok({ code: e.code, success: e.success }) }
  })
  on('test', 'big', '1', async (r) => ok({ blob: 'x'.repeat(r.args.size) }))
  on('test', 'count', '1', async (r) => { const n = (counts.get(r.args.key) ?? 0) + 1; counts.set(r.args.key, n); if (r.args.ms) await sleep(r.args.ms); return ok({ count: n }) })
  on('test', 'blackhole', '1', () => new Promise(() => {}))
  on('test', 'server', '1', async () => ok({ displayName }))
}
