import { spawn } from 'node:child_process'
import { once } from 'node:events'

// Whatever ends this program, ends them.
const running = new Set()
process.on('exit', () => { for (const server of running) server.kill() })
process.on('SIGTERM', () => process.exit(143))

// Starts a server, which says `ready …` in one line when it is, and at which addresses it listens, if at any: of HTTP
// first, of WebSocket last. How often it has said something that matches, `count` tells.
export function spawned(command) {
  const [program, ...args] = command.split(/\s+/)
  return new Promise((resolve, reject) => {
    const server = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(server, 'exit').catch(() => {}).finally(() => running.delete(server))
    running.add(server)
    let said = ''
    const count = (what) => (said.match(what) ?? []).length
    server.on('error', reject)
    server.on('exit', (status) => reject(new Error(`the server ended early (${status})`)))
    server.stdout.on('data', (text) => {
      said += text
      const ready = /^ready .*$/m.exec(said)
      const addresses = ready?.[0].match(/[\d.]+:\d+/g) ?? []
      if (ready) resolve({ http: `http://${addresses[0]}/rpc`, ws: `ws://${addresses.at(-1)}`, count, stop: (signal) => (server.kill(signal), ended) })
    })
  })
}
