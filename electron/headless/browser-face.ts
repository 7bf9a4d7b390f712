/**
 * The UI in a browser: its files over HTTP and the contract over a WebSocket, on a loopback port. A token in the first URL is exchanged
 * for an HttpOnly cookie; requests whose Host or Origin is not ours are refused, so that no page elsewhere can reach in (DNS rebinding,
 * cross-site WebSockets).
 */
import { timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import { FlotillaError, systemCode } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import { decodeMessage, encodeMessage, type Message, type Port } from '../contracts/protocol.ts'
import { staticFile } from '../plane/face/static.ts'

export interface BrowserFace extends AsyncDisposable {
  /** Opens the UI once; anyone who has it may steer the cluster. */
  readonly url: string
}

export interface BrowserFaceOptions {
  readonly rendererDir: string
  /** 0: a free one. */
  readonly port: number
  readonly random: Random
  /** Serves one UI's connection. */
  connect(): Port
}

export async function serveBrowserFace(options: BrowserFaceOptions): Promise<BrowserFace> {
  const token = Buffer.from(options.random.bytes(24)).toString('base64url')
  const server = createServer((request, response) => void answer(request, response))
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 * 1024, perMessageDeflate: false })
  await listen(server, options.port)
  const { port } = server.address() as AddressInfo
  const cookie = `flotilla-${port}`
  const ownHosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`])

  const isOurs = (request: IncomingMessage) => ownHosts.has(request.headers.host ?? '')
  const isKnown = (request: IncomingMessage) => {
    const given = (request.headers.cookie ?? '').split(/; */).find((c) => c.startsWith(`${cookie}=`))
    return given !== undefined && sameText(given.slice(cookie.length + 1), token)
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (!isOurs(request)) return refuse(response, 421, 'This is not the host that was asked for.')
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405, 'Only GET.')
    const offered = url.searchParams.get('token')
    if (offered !== null && sameText(offered, token)) {
      response.writeHead(303, {
        location: '/',
        'set-cookie': `${cookie}=${token}; HttpOnly; SameSite=Strict; Path=/`,
        'cache-control': 'no-store',
      })
      return void response.end()
    }
    if (!isKnown(request)) return refuse(response, 403, 'Open Flotilla with the address that it printed when it started.')
    const reply = await staticFile(options.rendererDir, url.pathname)
    response.writeHead(reply.status, reply.headers)
    response.end(request.method === 'HEAD' ? undefined : reply.body)
  }

  server.on('upgrade', (request, socket, head) => {
    const origin = request.headers.origin?.replace(/^http:\/\//, '')
    const pathname = new URL(request.url ?? '/', 'http://localhost').pathname
    if (!isOurs(request) || !isKnown(request) || !origin || !ownHosts.has(origin) || pathname !== '/ws') {
      socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n')
      // What is not read hides that the client has left.
      return void socket.resume()
    }
    sockets.handleUpgrade(request, socket, head, (ws) => relay(ws, options.connect()))
  })

  return {
    url: `http://127.0.0.1:${port}/?token=${token}`,
    async [Symbol.asyncDispose]() {
      for (const ws of sockets.clients) ws.terminate()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Joins a browser's WebSocket to a connection of the plane. */
function relay(ws: WebSocket, plane: Port): void {
  ws.on('message', (data: Buffer, binary: boolean) => {
    let message: Message
    try {
      message = decodeMessage(binary ? data : data.toString('utf8'))
    } catch {
      return ws.close(1002, 'not a message of the contract')
    }
    plane.post(message)
  })
  plane.onMessage((message) => ws.send(encodeMessage(message)))
  plane.onClose(() => ws.close(1001))
  ws.on('close', () => plane.close())
  ws.on('error', () => ws.terminate())
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
  response.end(`${text}\n`)
}

function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}

async function listen(server: ReturnType<typeof createServer>, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', resolve)
    })
  } catch (error) {
    if (systemCode(error) !== 'EADDRINUSE') throw error
    throw new FlotillaError('ADDRESS_IN_USE', {
      what: `The UI cannot be served on port ${port}.`,
      why: 'Another program listens there.',
      next: 'End that program, or choose another port with --ui-port.',
      cause: error,
    })
  }
}
