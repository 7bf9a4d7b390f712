/** `pods/proxy` and `services/proxy`: HTTP to what runs in a pod. Source: kubernetes "Access services running on clusters", apiserver proxy handler. */
import type { Duplex } from 'node:stream'
import { connect } from 'node:tls'
import { badRequest, unavailable } from '../../machinery/status.ts'
import type { ApiRequest, ApiResponse, ConnectTarget, Connector } from '../types.ts'
import type { AgentConnections } from './agent-connection.ts'
import { joinUpgrade } from './agent-stream.ts'
import { exchange, type Answer } from './exchange.ts'
import { openPodPort, type PodPort } from './pod-port.ts'
import { refuseUpgrade } from './refusal.ts'

/** What follows "pods/" or "services/": "name", "name:port" or "scheme:name:port"; the port a number or a name, or "". */
export interface ProxyName {
  readonly scheme: 'http' | 'https'
  readonly name: string
  readonly port: string
}

/** Which port of which pod answers. Throws StatusError. */
export type FindPort = (request: Pick<ApiRequest, 'signal'>, namespace: string, wanted: ProxyName) => Promise<PodPort>

const BODY_LIMIT = 64 << 20
/** Between two ends of one connection, or about who asks the API server. */
const NOT_PASSED =
  /^(?:connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|host|authorization|content-length|impersonate-.*|x-remote-.*|:.*)$/

export function podProxy(agents: AgentConnections, find: FindPort): Connector {
  const ask = async (
    request: ApiRequest,
    target: ConnectTarget,
    signal: AbortSignal,
    more: Record<string, string>,
    body?: Uint8Array,
  ): Promise<Answer> => {
    const wanted = parseName(target.name)
    const at = await find(request, target.namespace, wanted)
    const plain = await openPodPort(agents, at, signal)
    const stream = wanted.scheme === 'https' ? await secured(plain) : plain
    const headers: Record<string, string> = { host: `${at.pod}:${at.port}`, ...passed(request.headers), ...more }
    const query = request.query.toString()
    const path = `${encodeURI(tailOf(request, target) || '/')}${query ? `?${query}` : ''}`
    const asked = { method: request.method, path, headers, signal, ...(body ? { body } : {}) }
    return exchange(stream, asked, `port ${at.port} of pod ${at.pod}`)
  }

  return {
    async answer(request, target) {
      if (tailOf(request, target) === '' && (request.method === 'GET' || request.method === 'HEAD')) return toRoot(request)
      const body = request.method === 'GET' || request.method === 'HEAD' ? undefined : await request.body(BODY_LIMIT)
      const more: Record<string, string> = body ? { 'content-length': String(body.length) } : {}
      const answer = await ask(request, target, request.signal, more, body)
      if (answer.type === 'upgrade') throw badRequest('the pod upgraded a plain request')
      const { statusCode = 502, headers } = answer.response
      return { status: statusCode, headers: passed(headers), body: answer.response as AsyncIterable<Uint8Array> }
    },
    async upgrade(request, target, socket, head) {
      const gone = new AbortController()
      const onClose = () => gone.abort(new Error('the client went away'))
      socket.once('close', onClose)
      try {
        const { upgrade = '' } = request.headers
        const answer = await ask(request, target, AbortSignal.any([request.signal, gone.signal]), { connection: 'Upgrade', upgrade })
        if (answer.type === 'response') throw unavailable(`the pod refused to upgrade with status ${answer.response.statusCode}`)
        await joinUpgrade(socket, head, answer)
      } catch (error) {
        refuseUpgrade(socket, error)
      } finally {
        socket.off('close', onClose)
      }
    },
    async dial(target, signal) {
      return openPodPort(agents, await find({ signal }, target.namespace, parseName(target.name)), signal)
    },
    async open() {
      throw badRequest('what runs in a pod is reached by plain requests')
    },
  }
}

export function parseName(text: string): ProxyName {
  const [first = '', second = '', third] = text.split(':')
  if (third === undefined) return { scheme: 'http', name: first, port: second }
  if (first !== 'http' && first !== 'https' && first !== '')
    throw badRequest(`invalid scheme ${JSON.stringify(first)} in ${JSON.stringify(text)}`)
  return { scheme: first === 'https' ? 'https' : 'http', name: second, port: third }
}

/** The path behind the proxy as it was asked for, its last slash included. */
function tailOf(request: ApiRequest, { tail }: ConnectTarget): string {
  return request.path.endsWith('/') && !tail.endsWith('/') ? `${tail}/` : tail
}

/** Links of a page are relative to its folder, so the root has its slash. */
function toRoot({ path, query }: ApiRequest): ApiResponse {
  const text = query.toString()
  return { status: 301, headers: { location: `${encodeURI(path)}/${text ? `?${text}` : ''}` }, body: new Uint8Array() }
}

function passed(headers: Readonly<Record<string, string | readonly string[] | undefined>>): Record<string, string> {
  const out: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !NOT_PASSED.test(name)) out[name] = typeof value === 'string' ? value : value.join(', ')
  return out
}

/** The certificate is the pod's own affair: nobody has signed it for a name that is known here. */
function secured(stream: Duplex): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const secure = connect({ socket: stream, rejectUnauthorized: false })
    secure.once('secureConnect', () => resolve(secure))
    secure.once('error', (error) => reject(unavailable(`the pod's TLS failed: ${error.message}`)))
  })
}
