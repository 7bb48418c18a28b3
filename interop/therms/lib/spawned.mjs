import { spawn } from 'node:child_process'

// Starts a server that says in one line, `ready …`, at which addresses it listens: of HTTP first, of WebSocket last.
export function spawned(command) {
  const [program, ...args] = command.split(/\s+/)
  return new Promise((resolve, reject) => {
    const server = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    server.on('error', reject)
    server.on('exit', (status) => reject(new Error(`the server ended early (${status})`)))
    server.stdout.on('data', (text) => {
      said += text
      const ready = /^ready .*$/m.exec(said)
      const addresses = ready?.[0].match(/[\d.]+:\d+/g)
      if (addresses) resolve({ http: `http://${addresses[0]}/rpc`, ws: `ws://${addresses.at(-1)}`, stop: () => server.kill() })
    })
  })
}
