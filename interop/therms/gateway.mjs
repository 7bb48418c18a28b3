#!/usr/bin/env node
// A minimal gateway. See README.md.
import { parseArgs } from 'node:util'
import { Registry } from './lib/registry.mjs'
import { Network } from './lib/network.mjs'
import { registerService } from './lib/service.mjs'
import { listenHttp, makeHttpHandler } from './lib/gateway-http.mjs'
import { serveWebSocket } from './lib/gateway-ws.mjs'

const { values: o } = parseArgs({
  options: {
    http: { type: 'string', default: '3995' }, // 0 is any that is free, here and below
    ws: { type: 'string', default: '3996' },
    host: { type: 'string', default: '127.0.0.1' },
    amqp: { type: 'string' },
    name: { type: 'string', default: 'interop-gateway' },
    timeout: { type: 'string', default: '30000' },
    verbose: { type: 'boolean', default: false },
  },
})
const log = (...a) => o.verbose && console.error('[gateway]', ...a)

const registry = new Registry()
const events = []
registry.register({ scope: 'gateway', procedure: 'events', version: '1' }, async () => ({ code: 200, data: { events: [...events] }, success: true }))
if (!o.amqp) registerService(registry, { displayName: o.name })
if (o.amqp) {
  const network = new Network({ uri: o.amqp, displayName: o.name, registry, timeoutMs: +o.timeout, log })
  for (const { info } of registry.handlers.values()) network.bind(info)
  registry.network = network
  await network.whenReady()
}

const handler = makeHttpHandler({ registry, log })
const web = await listenHttp({ host: o.host, port: +o.http, handler })
let gateway
const hooks = {
  onClientConnect: (c) => events.push({ event: 'connect', ...c }),
  onClientConnectionIdentityChanged: (c) => events.push({ event: 'identity', ...c }),
  onClientDisconnect: (c) => events.push({ event: 'disconnect', ...c }),
  onClientMessage: (m) => {
    events.push({ event: 'message', ...m })
    gateway.sendMessageToClient(m.connectionId, { echo: m.clientMessage, connectionId: m.connectionId, identity: m.identity ?? null })
  },
}
// the same port for both is fine: WebSocket upgrades arrive over HTTP/1.1
gateway = serveWebSocket(o.ws === o.http && o.http !== '0' ? { server: web.h1, registry, hooks, log } : { host: o.host, port: +o.ws, registry, hooks, log })
await gateway.ready
console.log(`ready http=${o.host}:${web.port} ws=${o.host}:${gateway.port() ?? web.port} handlers=${registry.keys().length}${o.amqp ? ' queue=' + registry.network.queue : ''}`)
for (const s of ['SIGINT', 'SIGTERM']) process.on(s, async () => { gateway.close(); web.close(); await registry.network?.close(); process.exit(0) })
