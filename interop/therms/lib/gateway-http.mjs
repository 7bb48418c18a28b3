// The HTTP entry: HTTP/1.1 and cleartext HTTP/2 on one port.
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import { Duplex } from 'node:stream'
import zlib from 'node:zlib'
import { makeRequest, toDTO } from './wire.mjs'

const LIMIT = 1024 * 1024
const bad = (code, message) => ({ code, message, success: false })

export const clientIp = (req) => {
  const real = req.headers['x-real-ip']
  return (typeof real === 'string' && real ? real.split(',')[0] : req.stream?.session?.peerIp ?? req.socket.remoteAddress ?? '').trim()
}

function readBody(req) {
  return new Promise((resolve, reject) => {
    const enc = req.headers['content-encoding']
    let src = req
    if (enc === 'gzip' || enc === 'deflate') src = req.pipe(enc === 'gzip' ? zlib.createGunzip() : zlib.createInflate())
    else if (enc && enc !== 'identity') return reject(new Error('encoding'))
    const parts = []
    let n = 0
    src.on('data', (d) => {
      n += d.length
      if (n > LIMIT) { req.unpipe?.(); req.resume(); reject(new Error('too large')) } else parts.push(d)
    })
    src.on('end', () => resolve(Buffer.concat(parts).toString('utf8')))
    src.on('error', reject)
    req.on('error', reject)
  })
}

const isJson = (ct) => /^application\/(json|json-patch\+json|vnd\.api\+json|csp-report|scim\+json)\s*(;|$)/i.test(ct ?? '')

export function makeHttpHandler({ registry, log }) {
  const reply = (req, res, status, body, type, extra = {}) => {
    const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
    const headers = { vary: 'Origin', 'access-control-allow-origin': '*', ...extra }
    if (body !== undefined) { headers['content-type'] = type; headers['content-length'] = Buffer.byteLength(text) }
    res.writeHead(status, headers)
    res.end(req.method === 'HEAD' ? undefined : text || undefined)
  }
  const json = (req, res, body) => reply(req, res, 200, body, 'application/json; charset=utf-8')

  return async (req, res) => {
    try {
      if (req.method === 'OPTIONS' && req.headers.origin && req.headers['access-control-request-method']) {
        const wanted = req.headers['access-control-request-headers']
        return reply(req, res, 204, undefined, undefined, {
          'access-control-max-age': '600',
          'access-control-allow-methods': 'GET,HEAD,PUT,POST,DELETE,PATCH',
          ...(wanted ? { 'access-control-allow-headers': wanted } : {}),
        })
      }
      if (req.url.split('?')[0] === '/health') { req.resume(); return reply(req, res, 200, 'ok', 'text/plain; charset=utf-8') }
      let dto
      if (isJson(req.headers['content-type'])) {
        try {
          const text = await readBody(req)
          dto = text.trim() === '' ? undefined : JSON.parse(text)
          if (dto !== undefined && (dto === null || typeof dto !== 'object')) throw new Error('not an object')
        } catch {
          return json(req, res, bad(400, 'unable to parse & handle request'))
        }
      } else req.resume()
      if (!dto || !Object.keys(dto).length) return json(req, res, bad(400, 'Empty request body received'))
      let request
      try {
        request = makeRequest(dto, { caller: 'HttpServer', ipAddress: clientIp(req), idTaken: (id) => registry.network?.isPending(id) })
      } catch {
        return json(req, res, bad(400, 'unable to parse request body as a valid CallRequest'))
      }
      json(req, res, toDTO(await registry.manage(request), request.correlationId))
    } catch (e) {
      log('http', e)
      if (!res.headersSent) json(req, res, bad(500, 'There was a problem calling the procedure'))
    }
  }
}

// HTTP/2 reads the socket below the stream layer, so the bytes already seen are replayed through a Duplex.
function replay(sock, first) {
  const d = new Duplex({
    read: () => sock.resume(),
    write: (chunk, _e, cb) => sock.write(chunk, cb),
    final: (cb) => sock.end(cb),
    destroy: (e, cb) => { sock.destroy(); cb(e) },
  })
  d.push(first)
  sock.on('data', (c) => d.push(c) || sock.pause())
  sock.on('end', () => d.push(null))
  sock.on('close', () => d.destroy())
  return d
}

// One listening socket; the first bytes tell HTTP/2 with prior knowledge from HTTP/1.1.
export function listenHttp({ host, port, handler }) {
  const h1 = http.createServer(handler)
  const h2 = http2.createServer(handler)
  const front = net.createServer((sock) => {
    sock.on('error', () => {})
    sock.once('data', (first) => {
      if (first.toString('latin1', 0, 3) === 'PRI') {
        h2.once('session', (s) => (s.peerIp = sock.remoteAddress)) // emitted synchronously
        return h2.emit('connection', replay(sock, first))
      }
      sock.pause()
      sock.unshift(first)
      h1.emit('connection', sock)
      sock.resume()
    })
  })
  return new Promise((resolve, reject) => {
    front.on('error', reject)
    front.listen(port, host, () => resolve({ h1, port: front.address().port, close: () => { front.close(); h1.closeAllConnections() } }))
  })
}
