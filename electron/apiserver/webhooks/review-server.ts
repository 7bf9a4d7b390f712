/**
 * A server that answers reviews and that a kubeconfig file tells how to reach: for tokens and for authorization. One POST of JSON, tried
 * again where the server could not answer. Source: apiserver `pkg/util/webhook`.
 */
import http from 'node:http'
import https from 'node:https'
import { deadline, sleep, type Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { Connection } from '../../client/kubeconfig.ts'
import { Backoff } from '../../machinery/backoff.ts'
import { readAnswer, WebhookCallError } from './webhook-client.ts'
import { goReason } from './webhook-error.ts'

/** In milliseconds. */
const WAITS = { initial: 500, max: 4000, factor: 1.5, jitter: 0.2 }
const ATTEMPTS = 5
const TRIED_AGAIN = new Set([429, 500, 502, 503, 504])

export interface ReviewServerOptions {
  readonly connection: Pick<Connection, 'server' | 'ca' | 'servername' | 'identity'>
  /** Of all attempts together, in milliseconds. */
  readonly timeout: number
  readonly clock: Clock
  readonly random: Random
}

export interface ReviewServer extends Disposable {
  /** The decoded answer. Throws WebhookCallError. */
  post(body: unknown): Promise<unknown>
}

/** An answer that another attempt may better. */
class Busy extends Error {}

export function reviewServer({ connection, timeout, clock, random }: ReviewServerOptions): ReviewServer {
  const url = new URL(connection.server)
  url.searchParams.set('timeout', `${timeout / 1000}s`)
  const { certificate, token } = connection.identity
  const isTls = url.protocol === 'https:'
  const tls = {
    ...(connection.ca ? { ca: connection.ca } : {}),
    ...(connection.servername ? { servername: connection.servername } : {}),
    ...certificate,
  }
  const agent = isTls ? new https.Agent({ keepAlive: true, ...tls }) : new http.Agent({ keepAlive: true })
  const attempt = async (bytes: Buffer, signal: AbortSignal): Promise<unknown> => {
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, */*',
      'content-length': bytes.length,
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    }
    const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
      const request = (isTls ? https : http).request(url, { method: 'POST', agent, headers, signal }, resolve)
      request.once('error', reject)
      request.end(bytes)
    })
    const again = TRIED_AGAIN.has(answer.statusCode ?? 0)
    try {
      return JSON.parse(await readAnswer(answer)) as unknown
    } catch (error) {
      if (again) throw new Busy((error as Error).message, { cause: error })
      throw error
    }
  }
  return {
    async post(body) {
      const bytes = Buffer.from(JSON.stringify(body))
      using limit = deadline(clock, timeout)
      const waits = new Backoff({ ...WAITS, random })
      for (;;) {
        try {
          return await attempt(bytes, limit.signal)
        } catch (error) {
          if (error instanceof WebhookCallError || error instanceof SyntaxError) throw asCallError(url, error)
          const last = waits.attempts + 1 >= ATTEMPTS || limit.signal.aborted
          const waited = last
            ? false
            : await sleep(clock, waits.next(), limit.signal).then(
                () => true,
                () => false,
              )
          if (!waited) throw asCallError(url, limit.signal.aborted && !(error instanceof Busy) ? limit.signal.reason : error)
        }
      }
    },
    [Symbol.dispose]: () => agent.destroy(),
  }
}

function asCallError(url: URL, error: unknown): WebhookCallError {
  if (error instanceof WebhookCallError) return error
  if (error instanceof Busy) return new WebhookCallError(error.message, { cause: error })
  if (error instanceof SyntaxError) return new WebhookCallError(`invalid character in the answer: ${error.message}`, { cause: error })
  return new WebhookCallError(`Post ${JSON.stringify(url.href)}: ${goReason(error)}`, { cause: error })
}
