// The WebSocket entry.
import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { WebSocketServer } from 'ws'
import { identityIsValid, makeRequest, toDTO } from './wire.mjs'
import { clientIp } from './gateway-http.mjs'

export function serveWebSocket({ host, port, server, registry, hooks = {}, log }) {
  const wss = server ? new WebSocketServer({ server }) : new WebSocketServer({ host, port })
  const connections = new Map()

  wss.on('connection', (ws, req) => {
    const connectionId = randomUUID()
    const ip = clientIp(req)
    let identity
    const send = (body, cb) => ws.readyState === ws.OPEN && ws.send(JSON.stringify(body), cb)
    connections.set(connectionId, send)
    hooks.onClientConnect?.({ connectionId, identity, ip })
    ws.on('error', (e) => log('ws', e.message))
    ws.on('close', () => {
      connections.delete(connectionId)
      hooks.onClientDisconnect?.({ connectionId, identity, ip })
    })
    ws.on('message', async (data, isBinary) => {
      let msg
      try { msg = isBinary ? undefined : JSON.parse(data.toString()) } catch { msg = undefined }
      if (!msg || typeof msg !== 'object' || Array.isArray(msg)) return log('ws: unusable frame')
      try { await onMessage(msg) } catch (e) {
        log('ws', e)
        send({ code: 500, correlationId: msg.correlationId, message: 'There was a problem calling the procedure', success: false })
      }
    })

    async function onMessage(msg) {
      if (msg.identity) {
        // an identity of a wrong shape is answered rather than dropped, so that the caller does not wait
        if (!identityIsValid(msg.identity))
          return send({ code: 400, correlationId: msg.correlationId, message: 'invalid identity', success: false })
        if (identity?.authorization && identity.authorization !== msg.identity.authorization)
          return send(
            { code: 400, correlationId: msg.correlationId, message: 'identity.authorization has changed - disconnecting websocket connection', success: false },
            () => ws.close(),
          )
        if (!isDeepStrictEqual(identity, msg.identity))
          hooks.onClientConnectionIdentityChanged?.({ connectionId, identity: msg.identity, ip })
        identity = msg.identity
      }
      if ('clientMessage' in msg) return hooks.onClientMessage?.({ connectionId, clientMessage: msg.clientMessage, identity })
      if (!msg.procedure && msg.identity) return send({ code: 200, correlationId: msg.correlationId, success: true })
      if (!msg.procedure)
        return send({ code: 400, correlationId: msg.correlationId, message: 'unable to parse message as a valid CallRequest', success: false })
      const request = makeRequest({ identity, ...msg }, { caller: 'WebSocketServer', ipAddress: ip, idTaken: (id) => registry.network?.isPending(id) })
      send(toDTO(await registry.manage(request), request.correlationId))
    }
  })

  return {
    port: () => (server ? undefined : wss.address().port),
    ready: server ? Promise.resolve() : new Promise((r) => wss.once('listening', r)),
    sendMessageToClient: (connectionId, data) => connections.get(connectionId)?.({ serverMessage: data }),
    close: () => { for (const c of wss.clients) c.terminate(); wss.close() },
  }
}
