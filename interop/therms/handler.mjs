#!/usr/bin/env node
// A minimal handler process. See README.md.
import { parseArgs } from 'node:util'
import { Registry } from './lib/registry.mjs'
import { Network } from './lib/network.mjs'
import { registerService } from './lib/service.mjs'

const { values: o } = parseArgs({
  options: {
    amqp: { type: 'string', default: 'amqp://guest:guest@127.0.0.1:5672' },
    name: { type: 'string', default: 'interop-handler' },
    timeout: { type: 'string', default: '30000' },
    scopes: { type: 'string' }, // those of its procedures, comma separated; all by default
    shared: { type: 'boolean', default: false }, // one queue per procedure, shared by all handler processes
    verbose: { type: 'boolean', default: false },
  },
})
const log = (...a) => o.verbose && console.error('[handler]', ...a)
const registry = new Registry()
registerService(registry, { displayName: o.name, scopes: o.scopes?.split(',') })
const network = new Network({ uri: o.amqp, displayName: o.name, registry, timeoutMs: +o.timeout, shared: o.shared, log })
for (const { info } of registry.handlers.values()) network.bind(info)
registry.network = network
await network.whenReady()
console.log(`ready handlers=${registry.keys().length} queue=${network.queue}`)
for (const s of ['SIGINT', 'SIGTERM']) process.on(s, async () => { await network.close(); process.exit(0) })
