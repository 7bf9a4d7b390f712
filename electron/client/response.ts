import http2 from 'node:http2'
import { PassThrough } from 'node:stream'
import type { Clock } from '../base/clock.ts'
import { deferred } from '../base/async.ts'
import type { RawResponse } from './client.ts'
import { connectionError, noAnswer } from './errors.ts'

const { HTTP2_HEADER_STATUS, NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM } = http2.constants

/** The stream was not accepted: the server has done nothing, so that it may be sent again whatever it was. */
export class RefusedStream extends Error {
  override readonly name = 'RefusedStream'
}

/**
 * Waits for a stream's response headers. Throws the signal's reason, StatusError 503 for a broken connection or when no headers come
 * within `timeout` milliseconds, and RefusedStream.
 */
export async function responseOf(
  stream: http2.ClientHttp2Stream,
  options: { clock: Clock; timeout: number; signal: AbortSignal | undefined; what: string },
): Promise<RawResponse> {
  const { clock, timeout, signal, what } = options
  const head = deferred<http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader>()
  const content = new PassThrough()
  content.on('error', () => undefined)
  let failure: unknown = null
  const fail = (error: unknown) => {
    failure ??= error
    head.reject(failure)
    stream.close(NGHTTP2_CANCEL)
  }
  const onAbort = () => fail(signal?.reason)
  const timer = clock.setTimeout(() => fail(noAnswer(what, timeout)), timeout)
  stream.on('error', (error) => fail(connectionError(what, error)))
  stream.once('response', (headers) => {
    // At once: of an answer that came whole in one read, Node throws away what has no reader before promises go on.
    stream.pipe(content)
    head.resolve(headers)
  })
  stream.once('close', () => {
    if (!stream.readableEnded) content.destroy(new Error('the connection broke'))
    signal?.removeEventListener('abort', onAbort)
    if (stream.rstCode === NGHTTP2_REFUSED_STREAM) head.reject(new RefusedStream(what))
    else head.reject(connectionError(what, new Error('the connection broke before an answer')))
  })
  if (signal?.aborted) onAbort()
  else signal?.addEventListener('abort', onAbort, { once: true })

  try {
    const headers = await head.promise
    return { status: Number(headers[HTTP2_HEADER_STATUS]), headers: plain(headers), body: bodyOf(stream, content, () => failure, what) }
  } finally {
    timer[Symbol.dispose]()
  }
}

function bodyOf(
  stream: http2.ClientHttp2Stream,
  content: AsyncIterable<unknown>,
  failure: () => unknown,
  what: string,
): RawResponse['body'] {
  async function* read(): AsyncGenerator<Uint8Array, void, void> {
    try {
      for await (const chunk of content) yield chunk as Uint8Array
      // A lost connection ends its streams without an error event, marked as cancelled.
      if (stream.rstCode) throw new Error('the connection broke')
    } catch (error) {
      throw failure() ?? connectionError(what, error)
    } finally {
      stream.close(NGHTTP2_CANCEL)
    }
    if (failure()) throw failure()
  }
  return {
    [Symbol.asyncIterator]: read,
    async [Symbol.asyncDispose]() {
      stream.close(NGHTTP2_CANCEL)
    },
  }
}

function plain(headers: http2.IncomingHttpHeaders): Record<string, string> {
  const out: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':') || value === undefined) continue
    out[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return out
}
