/**
 * `protocol` and what makes it work in a plain Chromium: `app://flotilla/x` is `http://flotilla.app.localhost/x` inside, a secure context
 * served by a loopback server that calls the app's handler. URLs are mapped back wherever the app sees them.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'

type Handler = (request: Request) => Promise<Response> | Response

const schemes = new Map<string, Handler | null>()
let ready = false

export const protocol = {
  registerSchemesAsPrivileged(list: readonly { scheme: string }[]): void {
    if (ready) throw new Error('protocol.registerSchemesAsPrivileged should be called before app is ready')
    for (const { scheme } of list) schemes.set(scheme, null)
  },
  handle(scheme: string, handler: Handler): void {
    if (!ready) throw new Error('protocol.handle cannot be called before app is ready')
    if (schemes.get(scheme)) throw new Error(`Failed to register protocol: ${scheme}`)
    schemes.set(scheme, handler)
  },
}

/** As the app names it. */
export function outside(url: string): string {
  return url.replace(/^http:\/\/([^/:]+)\.([a-z][\w-]*)\.localhost(?=[/?#]|$)/i, '$2://$1')
}

/** As Chromium names it. */
export function inside(url: string): string {
  const [, scheme = '', host = '', rest = ''] = /^([a-z][\w+.-]*):\/\/([^/?#]*)(.*)$/is.exec(url) ?? []
  return schemes.has(scheme) ? `http://${host}.${scheme}.localhost${rest || '/'}` : url
}

/** Serves all schemes; returns the port. From now on the app counts as ready. */
export async function serveSchemes(): Promise<number> {
  const server: Server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  ready = true
  return (server.address() as AddressInfo).port
}

async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = outside(`http://${incoming.headers.host}${incoming.url}`)
  const handler = schemes.get(url.slice(0, url.indexOf(':')))
  if (!handler) return void response.destroy()
  const headers = new Headers()
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (!['host', 'connection'].includes(name)) headers.set(name, outside(String(value)))
  }
  const reply = await handler(new Request(url, { method: incoming.method ?? 'GET', headers }))
  for (const [name, value] of reply.headers) response.appendHeader(name, value)
  response.writeHead(reply.status)
  if (reply.body) Readable.fromWeb(reply.body).pipe(response)
  else response.end()
}
