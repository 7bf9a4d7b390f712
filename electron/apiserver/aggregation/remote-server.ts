/** Requests to another API server behind a Service. Source: kube-aggregator `pkg/apiserver/handler_proxy.go`. */
import http from 'node:http'
import type { Duplex } from 'node:stream'
import { connect, type TLSSocket } from 'node:tls'
import type { APIServiceSpec } from '../../api/apiregistration/v1/types.ts'
import type { DialService } from '../webhooks/webhook-client.ts'
import type { FrontProxy } from './front-proxy.ts'

export interface RemoteRequest {
  readonly method: string
  /** With query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body?: Uint8Array
  readonly signal: AbortSignal
}

export type RemoteAnswer =
  | { readonly type: 'response'; readonly response: http.IncomingMessage }
  | { readonly type: 'upgrade'; readonly response: http.IncomingMessage; readonly socket: Duplex; readonly head: Uint8Array }

const PORT = 443

export class RemoteServers {
  readonly #dial: DialService
  readonly #front: () => Promise<FrontProxy>

  constructor(dial: DialService, front: () => Promise<FrontProxy>) {
    this.#dial = dial
    this.#front = front
  }

  /** One request on a connection of its own; aborting ends both. Rejects if there is no answer. */
  async request(spec: APIServiceSpec, { method, path, headers, body, signal }: RemoteRequest): Promise<RemoteAnswer> {
    const socket = await this.#connect(spec, signal)
    const onAbort = () => socket.destroy()
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once('close', () => signal.removeEventListener('abort', onAbort))
    if (signal.aborted) onAbort()
    return new Promise((resolve, reject) => {
      const all = { ...headers, host: hostOf(spec), ...(body ? { 'content-length': String(body.length) } : {}) }
      const request = http.request({ method, path, headers: all, createConnection: () => socket })
      request.once('response', (response) => resolve({ type: 'response', response }))
      request.once('upgrade', (response, upgraded: Duplex, head) => resolve({ type: 'upgrade', response, socket: upgraded, head }))
      request.once('error', reject)
      request.end(body)
    })
  }

  async #connect(spec: APIServiceSpec, signal: AbortSignal): Promise<TLSSocket> {
    const { name = '', namespace = '', port = PORT } = spec.service ?? {}
    const { identity } = await this.#front()
    const stream = await this.#dial({ namespace, name, port }, signal)
    const trust = spec.insecureSkipTLSVerify
      ? { rejectUnauthorized: false }
      : spec.caBundle
        ? { ca: Buffer.from(spec.caBundle, 'base64').toString('utf8') }
        : {}
    return new Promise((resolve, reject) => {
      const secure = connect({ socket: stream, servername: hostOf(spec), cert: identity.cert, key: identity.key, ...trust })
      secure.once('secureConnect', () => resolve(secure))
      secure.on('error', reject)
      secure.once('close', () => reject(new Error('EOF')))
    })
  }
}

/** As certificates of Services name them. */
export function hostOf({ service }: APIServiceSpec): string {
  return `${service?.name ?? ''}.${service?.namespace ?? ''}.svc`
}
