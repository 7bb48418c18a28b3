#!/usr/bin/env node
// What becomes of a procedure that handlers of the kit and of the implementation under test both have. See README.md.
import { parseArgs } from 'node:util'
import amqp from 'amqplib'
import { Suite, assert, post, rid, sleep } from './lib/harness.mjs'
import { spawned } from './lib/spawned.mjs'
import { EXCHANGE_GLOBAL, EXCHANGE_SCOPED, objectId } from './lib/wire.mjs'

const { values: o, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    amqp: { type: 'string', default: 'amqp://guest:guest@127.0.0.1:5672' },
    spawn: { type: 'string' }, // what starts a gateway or a handler under test, with more options behind it
    list: { type: 'boolean', default: false },
  },
})
const S = new Suite()

// ---- processes, which end with their check
const own = (name) => `${o.spawn} --role handler --broker ${o.amqp} --name ${name}`
const node = (name) => `node handler.mjs --amqp ${o.amqp} --name ${name}`
const shared = (name) => `${node(name)} --shared`
const gateways = [`${o.spawn} --role gateway --broker ${o.amqp} --http 127.0.0.1:0`, `node gateway.mjs --amqp ${o.amqp} --http 0 --ws 0`]

const check = (name, fn) => S.add(name, 'beside', async () => {
  const running = []
  const start = async (command) => {
    const process = await spawned(command)
    running.push(process)
    return process
  }
  try { await fn(start) } finally { await Promise.all(running.map((process) => process.stop('SIGINT'))) }
})

// ---- who has run a call: everybody who has answers it
async function answers(calls, expected) {
  const connection = await amqp.connect(o.amqp)
  try {
    const channel = await connection.createChannel()
    await channel.assertExchange(EXCHANGE_GLOBAL, 'direct', { durable: true })
    await channel.assertExchange(EXCHANGE_SCOPED, 'direct', { durable: true })
    const queue = `beside-rpc-${objectId()}`
    await channel.assertQueue(queue, { durable: false, autoDelete: true })
    const all = new Map(Array.from({ length: calls }, () => [objectId(), []]))
    await channel.consume(queue, (message) => {
      const { request, response } = JSON.parse(message.content.toString())
      all.get(request.trace.id).push(response.data?.displayName ?? response.message)
    }, { noAck: true })
    for (const id of all.keys()) {
      const request = { procedure: 'server', scope: 'test', version: '1', trace: { caller: 'beside', id } }
      channel.publish(EXCHANGE_SCOPED, 'test::server::1', Buffer.from(JSON.stringify({ request })), { correlationId: id, replyTo: queue, type: 'request' })
    }
    const count = () => [...all.values()].flat().length
    for (let t = 0; t < 20000 && count() < calls * expected; t += 20) await sleep(20)
    await sleep(300) // for those that should not come
    return [...all.values()].map((names) => names.sort().join(' '))
  } finally { await connection.close() }
}
const distinct = (values) => [...new Set(values)].sort()

// ---- callers
const ask = async (gateway, procedure, args) => (await post(gateway.http, { procedure, scope: 'test', args, correlationId: rid() })).json
const who = async (gateway) => (await ask(gateway, 'server')).data?.displayName

// Calls both gateways all the time until it is told to stop; then it gives what went wrong, and who has answered.
function load(both) {
  let over = false
  const failed = []
  const names = new Set()
  const done = both.flatMap((gateway) => [1, 2, 3, 4].map(async () => {
    while (!over) {
      const response = await ask(gateway, 'server').catch((error) => ({ error: error.message }))
      if (response.success) names.add(response.data.displayName)
      else failed.push(response)
    }
  }))
  return async () => { over = true; await Promise.all(done); return { failed, names: [...names].sort() } }
}
// Until it gives `wanted`.
async function becomes(wanted, fn) {
  for (let t = 0; t < 20000; t += 20) {
    if ((await fn()) === wanted) return
    await sleep(20)
  }
  assert.equal(await fn(), wanted)
}
// Calls what takes so long, and says so, by way of both gateways.
const slow = (both, ms) => both.flatMap((gateway) => Array.from({ length: 20 }, (_, i) => ask(gateway, 'slow', { ms, tag: i, say: true })))
// Until these handlers, all together, have begun with all of them.
const begun = (calls, handlers) => becomes(calls.length, () => handlers.reduce((sum, handler) => sum + handler.count(/^slow /gm), 0))

check('beside-copies', async (start) => {
  for (const command of [own('own-1'), own('own-2'), node('node-1'), node('node-2')]) await start(command)
  assert.deepEqual(distinct(await answers(40, 3)), ['node-1 node-2 own-1', 'node-1 node-2 own-2'])
})
check('beside-shared-queue', async (start) => {
  for (const command of [own('own-1'), own('own-2'), shared('node-1'), shared('node-2')]) await start(command)
  const runs = (await answers(40, 2)).map((names) => names.split(' '))
  for (const names of runs) assert.equal(names.length, 2)
  assert.deepEqual([0, 1].map((i) => distinct(runs.map((names) => names[i]))), [['node-1', 'node-2'], ['own-1', 'own-2']])
})
check('beside-alone', async (start) => {
  for (const command of [own('own-1'), own('own-2')]) await start(command)
  assert.deepEqual(distinct(await answers(40, 1)), ['own-1', 'own-2'])
})
for (const [way, from, to] of [['to', node, own], ['back', own, node]]) {
  check(`move-${way}-stop-then-start`, async (start) => {
    // never twice; in between there is nobody
    const both = [await start(gateways[0]), await start(gateways[1])]
    const old = await start(from('old'))
    for (const gateway of both) assert.equal(await who(gateway), 'old')
    await old.stop('SIGINT')
    for (const gateway of both) await becomes(501, async () => (await ask(gateway, 'server')).code)
    await start(to('new'))
    assert.deepEqual(distinct(await answers(20, 1)), ['new'])
    for (const gateway of both) assert.equal(await who(gateway), 'new')
  })
  check(`move-${way}-side-by-side`, async (start) => {
    // some calls run twice; none fails
    const both = [await start(gateways[0]), await start(gateways[1])]
    const old = await start(from('old'))
    const stop = load(both)
    await becomes('old', () => who(both[0]))
    await start(to('new'))
    await sleep(200)
    await old.stop('SIGINT')
    for (const gateway of both) await becomes('new', () => who(gateway))
    const { failed, names } = await stop()
    assert.deepEqual(failed, [])
    assert.deepEqual(names, ['new', 'old'])
    assert.deepEqual(distinct(await answers(20, 1)), ['new'])
  })
}
check('beside-one-dies', async (start) => {
  // Whoever is left answers what was under way. The last, as a queue of who was killed stays for a while.
  const both = [await start(gateways[0]), await start(gateways[1])]
  for (const dies of [node, own]) {
    const stays = await start((dies === node ? own : node)('stays'))
    const dead = await start(dies('dies'))
    const calls = slow(both, 400)
    await begun(calls, [dead])
    await dead.stop('SIGKILL')
    for (const response of await Promise.all(calls)) assert.equal(response.data?.slept, 400, JSON.stringify(response))
    await stays.stop('SIGINT')
  }
})
check('beside-one-of-two-dies', async (start) => {
  // the other of ours refuses what may have run, before theirs has answered
  const both = [await start(gateways[0]), await start(gateways[1])]
  const dead = await start(own('dies'))
  const stays = await start(own('stays'))
  await start(node('stays'))
  const calls = slow(both, 3000)
  await begun(calls, [dead, stays])
  await dead.stop('SIGKILL')
  const outcomes = (await Promise.all(calls)).map(({ success, data, code, message }) => (success ? `${data.slept}` : `${code} ${message}`))
  assert.deepEqual(distinct(outcomes), ['3000', '500 the node that had taken this call is gone: it may have run there, and is not run again'])
})

if (o.list) { for (const c of S.checks) console.log(c.name); process.exit(0) }
const failed = await S.run({ groups: new Set(['beside']), only: positionals })
process.exit(failed ? 1 : 0)
