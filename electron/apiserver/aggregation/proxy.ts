/** Requests handed on to the server that an APIService names. Source: kube-aggregator `pkg/apiserver/handler_proxy.go`. */
import type { Duplex } from 'node:stream'
import { badRequest, unavailable } from '../../machinery/status.ts'
import { textResponse } from '../http/response.ts'
import { joinUpgrade } from '../streaming/agent-stream.ts'
import type { ApiRequest, ApiResponse, Connector } from '../types.ts'
import { goReason } from '../webhooks/webhook-error.ts'
import type { Aggregated } from './aggregator.ts'
import { userHeaders } from './front-proxy.ts'
import type { RemoteAnswer, RemoteServers } from './remote-server.ts'

const BODY_LIMIT = 64 << 20
const UNAVAILABLE = 'service unavailable\n'
/** Between two ends of one connection, or about who asks: that is said anew. Answers are compressed at this server's own door. */
const NOT_PASSED =
  /^(?:connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|host|authorization|content-length|accept-encoding|impersonate-.*|x-remote-.*|:.*)$/

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
      if (health.condition.status === 'False') throw unavailable(UNAVAILABLE.trim())
      const gone = new AbortController()
      const onClose = () => gone.abort(new Error('the client went away'))
      socket.once('close', onClose)
      try {
        const { upgrade = '' } = request.headers
        const answer = await ask(request, AbortSignal.any([request.signal, gone.signal]), { connection: 'Upgrade', upgrade })
        if (answer.type === 'response') throw unavailable(`the server refused to upgrade with status ${answer.response.statusCode}`)
        await joinUpgrade(socket, head, answer)
      } finally {
        socket.off('close', onClose)
      }
    },
    async open() {
      throw badRequest('aggregated APIs are reached by plain requests')
    },
  }
}

function passed(headers: Readonly<Record<string, string | readonly string[] | undefined>>): Record<string, string> {
  const out: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !NOT_PASSED.test(name)) out[name] = typeof value === 'string' ? value : value.join(', ')
  return out
}
