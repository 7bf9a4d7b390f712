/** Requests and answers over either version of HTTP, as one connects to any API server. */
import { connect as connectHttp2, constants, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2'
import { Agent, request as requestHttps } from 'node:https'
import { connect as connectTls, type TLSSocket } from 'node:tls'

export interface Peer {
  readonly host: string
  readonly port: number
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export interface FuzzRequest {
  readonly method: string
  /** As in the request line. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | null
  /** `raw` writes what it is given, well formed or not. */
  readonly via: 'http1' | 'http2' | 'raw'
  /** Without a client certificate. */
  readonly anonymous?: boolean
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** It had no end yet and was left. */
  readonly cut: boolean
}

/** The connection ended before an answer came: the server's right where the bytes were no request. */
export class NoAnswer extends Error {}

/** How long streams are listened to, in milliseconds. */
const LISTEN = 60
/** No answer takes longer, however slow the machine, in milliseconds. */
const PATIENCE = 120_000

export class Transport implements Disposable {
  readonly peer: Peer
  readonly #agents: Readonly<Record<'known' | 'anonymous', Agent>>
  #session: ClientHttp2Session | null = null

  constructor(peer: Peer) {
    this.peer = peer
    const { host, port, ca, cert, key } = peer
    const common = { keepAlive: true, host, port, ca, maxSockets: 16 }
    this.#agents = { known: new Agent({ ...common, cert, key }), anonymous: new Agent(common) }
  }

  async send(request: FuzzRequest): Promise<Answer> {
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(new Error(`no answer within ${PATIENCE} ms`)), PATIENCE)
    try {
      const how = request.via === 'http1' ? this.#http1(request) : request.via === 'http2' ? this.#http2(request) : this.#raw(request)
      const never = new Promise<never>((_, reject) => late.signal.addEventListener('abort', () => reject(late.signal.reason as Error)))
      return await Promise.race([how, never])
    } finally {
      clearTimeout(timer)
    }
  }

  /** A TLS connection of one's own, for bytes of one's own. */
  open(protocol: 'http/1.1' | 'h2', anonymous = false): Promise<TLSSocket> {
    const { host, port, ca, cert, key } = this.peer
    return new Promise((resolve, reject) => {
      const socket = connectTls({ host, port, ca, ...(anonymous ? {} : { cert, key }), ALPNProtocols: [protocol] })
      socket.once('error', (error) => reject(new NoAnswer(error.message)))
      socket.once('secureConnect', () => {
        socket.on('error', () => socket.destroy())
        resolve(socket)
      })
    })
  }

  openHttp2(): ClientHttp2Session {
    const { host, port, ca, cert, key } = this.peer
    const session = connectHttp2(`https://${host}:${port}`, { ca, cert, key })
    session.on('error', () => session.destroy())
    return session
  }

  #http1({ method, target, headers, body, anonymous = false }: FuzzRequest): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const agent = this.#agents[anonymous ? 'anonymous' : 'known']
    const request = requestHttps({ agent, method, path: target, headers: withLength(headers, body) })
    request.once('error', (error) => reject(new NoAnswer(error.message)))
    request.once('response', (response) => {
      const parts: Buffer[] = []
      let timer: NodeJS.Timeout | undefined
      const done = (cut: boolean) => {
        clearTimeout(timer)
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts), cut })
        if (cut) response.destroy()
      }
      response.on('data', (part: Buffer) => void parts.push(part))
      response.once('end', () => done(false))
      response.once('error', () => done(true))
      if (isStream(response.statusCode, response.headers)) timer = setTimeout(() => done(true), LISTEN)
    })
    request.end(body ?? undefined)
    return promise
  }

  #http2({ method, target, headers, body }: FuzzRequest): Promise<Answer> {
    if (!this.#session || this.#session.closed || this.#session.destroyed) this.#session = this.openHttp2()
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const stream = this.#session.request({ ...withLength(headers, body), ':method': method, ':path': target }, { endStream: body === null })
    stream.once('error', (error) => reject(new NoAnswer(error.message)))
    stream.once('close', () => reject(new NoAnswer(`the stream ended with code ${stream.rstCode}`)))
    stream.once('response', (head) => {
      const parts: Buffer[] = []
      let timer: NodeJS.Timeout | undefined
      const done = (cut: boolean) => {
        clearTimeout(timer)
        resolve({ status: Number(head[':status']), headers: head, body: Buffer.concat(parts), cut })
        if (cut) stream.close(constants.NGHTTP2_CANCEL)
      }
      stream.on('data', (part: Buffer) => void parts.push(part))
      stream.once('end', () => {
        // Node ends what a reset breaks off as if it were whole.
        const [length, given] = [parts.reduce((sum, part) => sum + part.length, 0), Number(head['content-length'] ?? NaN)]
        if (method !== 'HEAD' && given > length) reject(new Error(`${length} of ${given} bytes came, then code ${stream.rstCode}`))
        else done(false)
      })
      if (isStream(head[':status'], head)) timer = setTimeout(() => done(true), LISTEN)
    })
    if (body !== null) stream.end(body)
    return promise
  }

  async #raw({ method, target, headers, body, anonymous }: FuzzRequest): Promise<Answer> {
    const socket = await this.open('http/1.1', anonymous)
    const all = { host: 'x', ...withLength(headers, body), connection: 'close' }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
    socket.write(`${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1')
    if (body) socket.write(body)
    return parseAnswer(await everything(socket))
  }

  [Symbol.dispose](): void {
    for (const agent of Object.values(this.#agents)) agent.destroy()
    this.#session?.destroy()
  }
}

/** What has no announced end is listened to for a while only; errors always end. */
function isStream(status: number | undefined, headers: IncomingHttpHeaders): boolean {
  return headers['content-length'] === undefined && (status ?? 0) < 400
}

function withLength(headers: Readonly<Record<string, string>>, body: Buffer | null): Record<string, string> {
  return body === null ? { ...headers } : { 'content-length': String(body.length), ...headers }
}

/** How long nothing at all may come, in milliseconds: what is no whole request gets no answer. */
const FIRST_BYTE = 2000
/** How long someone may go on talking, in milliseconds: a watch is never quiet for long where others write. */
const TALK = 10_000

/** Reads until the other end closes, or a while after it last said something, or until it has said enough. */
export function everything(socket: TLSSocket, quietMs = 300): Promise<Buffer> {
  const parts: Buffer[] = []
  const { promise, resolve } = Promise.withResolvers<Buffer>()
  const done = () => {
    clearTimeout(quiet)
    clearTimeout(enough)
    resolve(Buffer.concat(parts))
    socket.destroy()
  }
  const enough = setTimeout(done, TALK)
  let quiet = setTimeout(done, FIRST_BYTE)
  socket.on('data', (part: Buffer) => {
    parts.push(part)
    clearTimeout(quiet)
    quiet = setTimeout(done, quietMs)
  })
  socket.once('close', done)
  return promise
}

/** Of one whole answer of HTTP/1.1 on a connection that has ended. */
export function parseAnswer(bytes: Buffer): Answer {
  const end = bytes.indexOf('\r\n\r\n')
  const [first = '', ...lines] = bytes.subarray(0, Math.max(0, end)).toString('latin1').split('\r\n')
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1]
  if (end < 0 || status === undefined) throw new NoAnswer(bytes.length === 0 ? 'the connection was closed' : 'what came is no answer')
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  const rest = bytes.subarray(end + 4)
  if (status === '100') return parseAnswer(rest)
  const length = headers['content-length']
  const cut = length === undefined
  return { status: Number(status), headers, body: length === undefined ? rest : rest.subarray(0, Number(length)), cut }
}
