/** Sends audit events to a webhook, in batches of `EventList`. Source: apiserver `plugin/buffered`, `plugin/webhook`. */
import http from 'node:http'
import https from 'node:https'
import { sleep, type Clock, deadline } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { Backoff } from '../../machinery/backoff.ts'
import type { Backend, Losses } from './backend.ts'

/** Where the webhook is, as a kubeconfig says it. PEM texts. */
export interface WebhookTarget {
  readonly server: string
  readonly ca?: string | undefined
  readonly servername?: string | undefined
  readonly certificate?: { readonly cert: string; readonly key: string } | undefined
  readonly token?: string | undefined
}

/** Times are in milliseconds. The defaults are upstream's. */
export interface BatchOptions {
  /** Events that may wait; what comes beyond is lost. */
  readonly bufferSize: number
  readonly maxSize: number
  /** How long an event waits for others. */
  readonly maxWait: number
  /** Batches a second, and how many at once after a pause. */
  readonly qps: number
  readonly burst: number
  readonly initialBackoff: number
}

export const BATCH: BatchOptions = { bufferSize: 10_000, maxSize: 400, maxWait: 30_000, qps: 10, burst: 15, initialBackoff: 10_000 }

const ATTEMPTS = 5
const TIMEOUT_MS = 30_000
/** How long events may still be sent when the server stops. */
const GRACE_MS = 5_000
const HEAD = '{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":['

export interface WebhookDeps {
  readonly clock: Clock
  readonly random: Random
  readonly losses: Losses
}

export class WebhookBackend implements Backend {
  readonly name = 'webhook'
  readonly #target: WebhookTarget
  readonly #batch: BatchOptions
  readonly #deps: WebhookDeps
  readonly #agent: http.Agent
  readonly #stopping = new AbortController()
  #waiting: string[] = []
  #timer: Disposable | null = null
  #sending: Promise<void> | null = null
  #tokens: number
  #refilled: number

  constructor(target: WebhookTarget, batch: BatchOptions, deps: WebhookDeps) {
    this.#target = target
    this.#batch = batch
    this.#deps = deps
    this.#agent = target.server.startsWith('https:')
      ? new https.Agent({
          keepAlive: true,
          ...(target.ca === undefined ? {} : { ca: target.ca }),
          ...(target.servername === undefined ? {} : { servername: target.servername }),
          ...target.certificate,
        })
      : new http.Agent({ keepAlive: true })
    this.#tokens = batch.burst
    this.#refilled = deps.clock.monotonic()
  }

  write(event: string): void {
    if (this.#waiting.length >= this.#batch.bufferSize) {
      return this.#deps.losses.lost(this.name, 1, new Error('more events wait for the webhook than its buffer holds'))
    }
    this.#waiting.push(event)
    if (this.#waiting.length >= this.#batch.maxSize) this.#send()
    else this.#timer ??= this.#deps.clock.setTimeout(() => this.#send(), this.#batch.maxWait, { unref: true })
  }

  /** What waits is sent, for a few seconds at the most. */
  async [Symbol.asyncDispose](): Promise<void> {
    using _limit = this.#deps.clock.setTimeout(() => this.#stopping.abort(new Error('the server stops')), GRACE_MS)
    this.#send()
    await this.#sending
    this.#agent.destroy()
  }

  #send(): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = null
    this.#sending ??= this.#run()
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const events = this.#waiting.splice(0, this.#batch.maxSize)
      try {
        await this.#turn()
        await this.#deliver(`${HEAD}${events.join(',')}]}`)
        this.#deps.losses.kept(this.name)
      } catch (error) {
        this.#deps.losses.lost(this.name, events.length, error)
      }
    }
    this.#sending = null
  }

  /** Waits until another batch may be sent. */
  async #turn(): Promise<void> {
    const { qps, burst } = this.#batch
    const { clock } = this.#deps
    const now = clock.monotonic()
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#refilled) / 1000) * qps) - 1
    this.#refilled = now
    if (this.#tokens < 0) await sleep(clock, (-this.#tokens / qps) * 1000, this.#stopping.signal)
  }

  async #deliver(body: string): Promise<void> {
    const { clock, random } = this.#deps
    const initial = this.#batch.initialBackoff
    const backoff = new Backoff({ initial, max: initial * 1.5 ** ATTEMPTS, factor: 1.5, jitter: 0.2, random })
    for (;;) {
      try {
        return await this.#post(body)
      } catch (error) {
        const last = backoff.attempts + 1 >= ATTEMPTS || this.#stopping.signal.aborted
        if (last || (error instanceof Refusal && !error.passes)) throw error
        await sleep(clock, backoff.next(), this.#stopping.signal)
      }
    }
  }

  async #post(body: string): Promise<void> {
    const { server, token } = this.#target
    using limit = deadline(this.#deps.clock, TIMEOUT_MS, this.#stopping.signal)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const { request } = server.startsWith('https:') ? https : http
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    }
    const sent = request(server, { method: 'POST', headers, agent: this.#agent, signal: limit.signal }, (response) => {
      const { statusCode = 0 } = response
      response.resume()
      response.once('error', reject)
      response.once('end', () => (statusCode >= 200 && statusCode < 300 ? resolve() : reject(new Refusal(statusCode))))
    })
    sent.on('error', reject)
    sent.end(body)
    await promise
  }
}

class Refusal extends Error {
  /** It may be otherwise later. */
  readonly passes: boolean

  constructor(code: number) {
    super(`the webhook answered with ${code}`)
    this.passes = code === 429 || code >= 500
  }
}
