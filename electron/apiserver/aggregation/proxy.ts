/** Requests handed on to the server that an APIService names. Source: kube-aggregator `pkg/apiserver/handler_proxy.go`. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { badRequest, unavailable } from '../../machinery/status.ts'
import { textResponse } from '../http/response.ts'
import { joinUpgrade } from '../streaming/agent-stream.ts'
import { refuseUpgrade } from '../streaming/refusal.ts'
import type { ApiRequest, ApiResponse, Connector } from '../types.ts'
import { goReason } from '../webhooks/webhook-error.ts'
import type { Aggregated } from './aggregator.ts'
import { userHeaders } from './front-proxy.ts'
import type { RemoteAnswer, RemoteServers } from './remote-server.ts'

const BODY_LIMIT = 64 << 20
const UNAVAILABLE = 'service unavailable\n'
/** Between two ends of one connection, or about who asks: that is said anew. Answers are compressed at this server's own door. */
const NOT_PASSED =
  /^(?:connection|sec-websocket-protocol|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|host|authorization|content-length|accept-encoding|impersonate-.*|x-remote-.*|:.*)$/

/** Never rejects for what the other server does; refuses while it is known not to answer. */
export function aggregatedProxy(servers: RemoteServers, { service, health }: Aggregated): Connector {
  const ask = (request: ApiRequest, signal: AbortSignal, more: Record<string, string>, body?: Uint8Array): Promise<RemoteAnswer> => {
    const query = request.query.toString()
    const path = `${encodeURI(request.path)}${query ? `?${query}` : ''}`
    const headers = { ...passed(request.headers), ...userHeaders(request.user), ...more }
    return servers.request(service.spec, { method: request.method, path, headers, signal, ...(body ? { body } : {}) })
  }

  return {
    async answer(request): Promise<ApiResponse> {
      if (health.condition.status === 'False') return textResponse(503, UNAVAILABLE)
      const body = request.method === 'GET' || request.method === 'HEAD' ? undefined : await request.body(BODY_LIMIT)
      let answer: RemoteAnswer
      try {
        answer = await ask(request, request.signal, {}, body)
      } catch (error) {
        request.signal.throwIfAborted()
        return textResponse(503, `error trying to reach service: ${goReason(error)}\n`)
      }
      if (answer.type === 'upgrade') {
        answer.socket.destroy()
        throw badRequest('the server upgraded a plain request')
      }
      const { statusCode = 502, headers } = answer.response
      return { status: statusCode, headers: passed(headers), body: answer.response as AsyncIterable<Uint8Array> }
    },
    async upgrade(request: ApiRequest, _target, socket: Duplex, head: Uint8Array) {
      if (health.condition.status === 'False') return refuseUpgrade(socket, unavailable(UNAVAILABLE.trim()))
      const gone = new AbortController()
      const onClose = () => gone.abort(new Error('the client went away'))
      socket.once('close', onClose)
      try {
        const { upgrade = '' } = request.headers
        const offered = protocols(request.headers['sec-websocket-protocol'] ?? '')
        const changed = { connection: 'Upgrade', upgrade, ...(offered ? { 'sec-websocket-protocol': offered } : {}) }
        const answer = await ask(request, AbortSignal.any([request.signal, gone.signal]), changed)
        if (answer.type === 'upgrade') await joinUpgrade(socket, head, answer)
        else await passRefusal(socket, answer.response)
      } catch (error) {
        refuseUpgrade(socket, unavailable(`error trying to reach service: ${goReason(error)}`))
      } finally {
        socket.off('close', onClose)
      }
    },
    async open() {
      throw badRequest('aggregated APIs are reached by plain requests')
    },
  }
}

/** What the other server says instead of changing the protocol, as it came. */
async function passRefusal(socket: Duplex, response: IncomingMessage): Promise<void> {
  const { statusCode = 502, statusMessage = '' } = response
  const lines = Object.entries(passed(response.headers)).map(([name, value]) => `${name}: ${value}`)
  socket.write([`HTTP/1.1 ${statusCode} ${statusMessage}`, ...lines, 'connection: close', '', ''].join('\r\n'))
  await pipeline(response, socket)
}

/** Carries the client's own credentials, which are nobody else's business. */
const BEARER_PROTOCOL = 'base64url.bearer.authorization.k8s.io.'

function protocols(header: string): string {
  const offered = header.split(',').map((one) => one.trim())
  return offered.filter((one) => !one.startsWith(BEARER_PROTOCOL)).join(', ')
}

function passed(headers: Readonly<Record<string, string | readonly string[] | undefined>>): Record<string, string> {
  const out: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !NOT_PASSED.test(name)) out[name] = typeof value === 'string' ? value : value.join(', ')
  return out
}
