/**
 * Calls webhooks: one POST of JSON over HTTPS, to a URL or to a Service of the cluster. Connections to a URL are kept for the next
 * call; those to a Service are made anew, so that its endpoints share the load. Source: apiserver `pkg/util/webhook`.
 */
import https from 'node:https'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { connect, type TLSSocket } from 'node:tls'
import { type Clock, deadline } from '../../base/clock.ts'
import { goReason, httpRefusal } from './webhook-error.ts'

/** As configurations of webhooks and conversions say it; exactly one of `url` and `service`. */
export interface WebhookAddress {
  readonly url?: string
  readonly service?: ServiceAddress
  /** PEM in base64; without it the system's authorities count. */
  readonly caBundle?: string
}

export interface ServiceAddress {
  readonly namespace: string
  readonly name: string
  /** 443 if it is not said. */
  readonly port?: number
  readonly path?: string
}

/** A plain stream to a port of a Service. */
export type DialService = (service: { namespace: string; name: string; port: number }, signal: AbortSignal) => Promise<Duplex>

export interface WebhookClientOptions {
  readonly dialService: DialService
  readonly clock: Clock
}

export interface PostOptions {
  readonly timeoutSeconds: number
  readonly signal: AbortSignal
}

/** No answer, or none that is JSON. Its message is Go's. */
export class WebhookCallError extends Error {
  override readonly name = 'WebhookCallError'
}

const PORT = 443
const MAX_AGENTS = 30
const MAX_ANSWER = 16 << 20

export class WebhookClient implements Disposable {
  readonly #options: WebhookClientOptions
  /** By authorities; the least recently used first. */
  readonly #agents = new Map<string, https.Agent>()

  constructor(options: WebhookClientOptions) {
    this.#options = options
  }

  /** The decoded answer to `body`. Throws WebhookCallError. */
  async post(address: WebhookAddress, body: unknown, { timeoutSeconds, signal }: PostOptions): Promise<unknown> {
    const url = urlOf(address)
    url.searchParams.set('timeout', `${timeoutSeconds}s`)
    using limit = deadline(this.#options.clock, timeoutSeconds * 1000, signal)
    const bytes = Buffer.from(JSON.stringify(body))
    try {
      const text = await this.#exchange(address, url, bytes, limit.signal)
      return JSON.parse(text) as unknown
    } catch (error) {
      if (error instanceof WebhookCallError) throw error
      const reason = limit.signal.aborted ? (limit.signal.reason as unknown) : error
      if (error instanceof SyntaxError) throw new WebhookCallError(`invalid character in the answer: ${error.message}`, { cause: error })
      throw new WebhookCallError(`Post ${JSON.stringify(url.href)}: ${goReason(reason)}`, { cause: error })
    }
  }

  [Symbol.dispose](): void {
    for (const agent of this.#agents.values()) agent.destroy()
    this.#agents.clear()
  }

  async #exchange(address: WebhookAddress, url: URL, body: Buffer, signal: AbortSignal): Promise<string> {
    if (address.service) {
      const socket = await this.#toService(address.service, caOf(address), signal)
      try {
        return await readAnswer(await send(url, body, signal, { createConnection: () => socket }).answer)
      } finally {
        socket.destroy()
      }
    }
    for (;;) {
      const sent = send(url, body, signal, { agent: this.#agentOf(address) })
      try {
        return await readAnswer(await sent.answer)
      } catch (error) {
        // The other end closed a kept connection in the moment in which it was taken.
        const stale = sent.reused() && (error as { code?: string }).code === 'ECONNRESET' && !signal.aborted
        if (!stale) throw error
      }
    }
  }

  async #toService(service: ServiceAddress, ca: string | undefined, signal: AbortSignal): Promise<TLSSocket> {
    const { namespace, name, port = PORT } = service
    const stream = await this.#options.dialService({ namespace, name, port }, signal)
    const abort = () => stream.destroy()
    signal.addEventListener('abort', abort, { once: true })
    stream.once('close', () => signal.removeEventListener('abort', abort))
    if (signal.aborted) abort()
    return new Promise((resolve, reject) => {
      const secure = connect({ socket: stream, servername: `${name}.${namespace}.svc`, ...(ca === undefined ? {} : { ca }) })
      secure.once('secureConnect', () => resolve(secure))
      secure.on('error', reject)
      secure.once('close', () => reject(new Error('EOF')))
    })
  }

  #agentOf(address: WebhookAddress): https.Agent {
    const ca = caOf(address)
    const key = ca ?? ''
    const agent = this.#agents.get(key) ?? new https.Agent({ keepAlive: true, ...(ca === undefined ? {} : { ca }) })
    this.#agents.delete(key)
    this.#agents.set(key, agent)
    for (const [oldest, unused] of this.#agents) {
      if (this.#agents.size <= MAX_AGENTS) break
      unused.destroy()
      this.#agents.delete(oldest)
    }
    return agent
  }
}

function urlOf({ url, service }: WebhookAddress): URL {
  if (service) return new URL(`https://${service.name}.${service.namespace}.svc:${service.port ?? PORT}${service.path ?? ''}`)
  if (url === undefined || !URL.canParse(url)) throw new WebhookCallError(`Unparsable URL: ${url ?? ''}`)
  return new URL(url)
}

function caOf({ caBundle }: WebhookAddress): string | undefined {
  return caBundle ? Buffer.from(caBundle, 'base64').toString('utf8') : undefined
}

interface Sent {
  readonly answer: Promise<IncomingMessage>
  reused(): boolean
}

function send(url: URL, body: Buffer, signal: AbortSignal, how: https.RequestOptions): Sent {
  const headers = { 'content-type': 'application/json', accept: 'application/json, */*', 'content-length': body.length }
  const request = https.request(url, { method: 'POST', headers, signal, ...how })
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve)
    request.on('error', reject)
    request.end(body)
  })
  return { answer, reused: () => request.reusedSocket }
}

/** Throws WebhookCallError unless it is a success of bearable length. */
export async function readAnswer(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of answer as AsyncIterable<Buffer>) {
    size += part.length
    if (size > MAX_ANSWER) throw new WebhookCallError(`the answer is longer than ${MAX_ANSWER} bytes`)
    parts.push(part)
  }
  const text = Buffer.concat(parts).toString('utf8')
  const { statusCode = 0 } = answer
  if (statusCode < 200 || statusCode > 299) throw new WebhookCallError(httpRefusal(statusCode, text))
  return text
}
