import http from 'node:http'
import type { Duplex } from 'node:stream'
import { unavailable } from '../../machinery/status.ts'

export interface ExchangeRequest {
  readonly method: string
  /** With query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  readonly signal: AbortSignal
}

export type Answer =
  | { readonly type: 'response'; readonly response: http.IncomingMessage }
  | { readonly type: 'upgrade'; readonly response: http.IncomingMessage; readonly socket: Duplex; readonly head: Uint8Array }

/** One HTTP/1.1 request on a stream of its own; aborting ends both. Throws Status 503, which says that `who` gave no answer. */
export function exchange(stream: Duplex, { method, path, headers, body, signal }: ExchangeRequest, who: string): Promise<Answer> {
  const onAbort = () => stream.destroy()
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  stream.once('close', () => signal.removeEventListener('abort', onAbort))
  return new Promise((resolve, reject) => {
    const request = http.request({ method, path, headers, createConnection: () => stream })
    request.once('response', (response) => resolve({ type: 'response', response }))
    request.once('upgrade', (response, socket: Duplex, head) => resolve({ type: 'upgrade', response, socket, head }))
    request.once('error', (error) =>
      reject(signal.aborted ? (signal.reason as Error) : unavailable(`${who} gave no answer: ${error.message}`)),
    )
    request.end(body)
  })
}
