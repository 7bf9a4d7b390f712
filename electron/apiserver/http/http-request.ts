import type { Readable } from 'node:stream'
import { badRequest } from '../../machinery/status.ts'
import { tooLarge } from '../inprocess-raw.ts'
import type { ApiRequest, Origin, UserInfo } from '../types.ts'

type Headers = Readonly<Record<string, string | undefined>>

const NO_QUERY = new URLSearchParams()

/** A request from a socket. Nothing of it is made before somebody asks. */
export class HttpRequest implements ApiRequest {
  readonly method: string
  readonly path: string
  readonly headers: Headers
  readonly user: UserInfo
  readonly origin: Origin
  readonly #search: string
  readonly #stream: Readable
  #query: URLSearchParams | null = null
  #abort: AbortController | null = null
  #gone = false

  /** `target` as in the request line. Throws StatusError 400 if it cannot be decoded. */
  constructor(method: string, target: string, headers: Headers, stream: Readable, user: UserInfo, origin: Origin) {
    const end = target.indexOf('?')
    this.method = method
    this.path = decodePath(end < 0 ? target : target.slice(0, end))
    this.#search = end < 0 ? '' : target.slice(end + 1)
    this.headers = headers
    this.user = user
    this.origin = origin
    this.#stream = stream
  }

  get query(): URLSearchParams {
    this.#query ??= this.#search === '' ? NO_QUERY : new URLSearchParams(this.#search)
    return this.#query
  }

  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController()
      if (this.#gone) this.#abort.abort(goneAway())
    }
    return this.#abort.signal
  }

  /** The client went away, or its time is over. */
  abort(reason?: unknown): void {
    this.#gone = true
    this.#abort?.abort(reason ?? goneAway())
  }

  async body(limit: number): Promise<Buffer> {
    const announced = Number(this.headers['content-length'] ?? 0)
    if (announced > limit) throw tooLarge(limit)
    const stream = this.#stream
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
    const chunks: Buffer[] = []
    let size = 0
    const onClose = () => reject(badRequest('the client went away before its request was whole'))
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > limit) reject(tooLarge(limit))
      else chunks.push(chunk)
    })
    stream.once('end', () => {
      stream.off('close', onClose)
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size))
    })
    stream.once('error', reject)
    stream.once('close', onClose)
    return promise
  }
}

function goneAway(): DOMException {
  return new DOMException('the client went away', 'AbortError')
}

function decodePath(path: string): string {
  if (!path.includes('%')) return path
  try {
    return decodeURIComponent(path)
  } catch (error) {
    throw badRequest(`the path ${JSON.stringify(path)} is not valid`, error)
  }
}
