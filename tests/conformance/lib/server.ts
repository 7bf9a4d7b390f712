/**
 * What test pods serve with; the image has it as `/server.ts`, run by its Node. Over HTTP on $PORT (8080) and each port of $PORTS: `/hostname`,
 * `/healthz` (200, but 500 from $UNHEALTHY_AFTER seconds on), `/echo?text=`, `/calls` (what else was asked for, a line each, as
 * "GET /path"), and for any other path the request's method. Over UDP on $UDP_PORT: the host's name. Over gRPC on $GRPC_PORT: grpc.health.v1, SERVING.
 */
import { createSocket } from 'node:dgram'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { hostname } from 'node:os'

const { PORT = '8080', PORTS = '', UDP_PORT, GRPC_PORT, UNHEALTHY_AFTER = 'Infinity', SAY = hostname() } = process.env
const calls: string[] = []

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://server')
  request.resume()
  response.setHeader('content-type', 'text/plain')
  if (pathname === '/hostname') response.end(SAY)
  else if (pathname === '/echo') response.end(searchParams.get('text') ?? '')
  else if (pathname === '/calls') response.end(calls.map((call) => `${call}\n`).join(''))
  else if (pathname === '/healthz') {
    const healthy = process.uptime() < Number(UNHEALTHY_AFTER)
    response.writeHead(healthy ? 200 : 500).end(healthy ? 'ok' : 'unhealthy')
  } else {
    calls.push(`${request.method} ${request.url}`)
    response.setHeader('x-path', pathname)
    response.end(request.method)
  }
}

for (const port of [PORT, ...PORTS.split(' ').filter(Boolean)]) createServer(answer).listen(Number(port), '::')

if (UDP_PORT) {
  const socket = createSocket('udp6')
  socket.on('message', (_message, { port, address }) => socket.send(SAY, port, address))
  socket.bind(Number(UDP_PORT), '::')
}

if (GRPC_PORT) {
  const server = createHttp2Server()
  server.on('stream', (stream) => {
    stream.resume()
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    // A message of two bytes: HealthCheckResponse with status SERVING.
    stream.end(Buffer.of(0, 0, 0, 0, 2, 8, 1))
  })
  server.listen(Number(GRPC_PORT), '::')
}

process.on('SIGTERM', () => process.exit(0))
