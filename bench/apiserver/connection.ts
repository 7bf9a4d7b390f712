/** A connection of HTTP/1.1 that spends as little as can be on its own side: requests are bytes, of answers only the length is read. */
import { connect, type TLSSocket } from 'node:tls'
import type { Identity } from './servers.ts'

const HEAD_END = Buffer.from('\r\n\r\n')
const LAST_CHUNK = Buffer.from('\r\n0\r\n\r\n')
const NOTHING = Buffer.alloc(0)
/** In the place of a length. */
const CHUNKED = Number.POSITIVE_INFINITY

export class Connection {
  readonly socket: TLSSocket
  #waiting: ((status: number) => void) | null = null
  /** Bytes of the answer that are still to come; -1 while its head is. */
  #left = -1
  #status = 0
  #head: Buffer[] = []
  #tail: Buffer = NOTHING

  private constructor(socket: TLSSocket) {
    this.socket = socket
    socket.on('data', (part: Buffer) => this.#take(part))
    socket.on('close', () => this.#done(0))
    socket.on('error', () => socket.destroy())
  }

  static async open(identity: Identity): Promise<Connection> {
    return new Connection(await openSocket(identity))
  }

  /** The status of the answer, once all of it is there; 0 if the connection ended. */
  ask(request: Buffer): Promise<number> {
    this.socket.write(request)
    return new Promise((resolve) => (this.#waiting = resolve))
  }

  #take(part: Buffer): void {
    if (this.#left < 0) {
      const joined = this.#head.length > 0 ? Buffer.concat([...this.#head, part]) : part
      const end = joined.indexOf(HEAD_END)
      if (end < 0) {
        this.#head = [joined]
        return
      }
      this.#head = []
      const head = joined.toString('latin1', 0, end)
      this.#status = Number(head.slice(9, 12))
      const length = /\ncontent-length: *(\d+)/i.exec(head)?.[1]
      this.#left = length === undefined ? CHUNKED : Number(length)
      part = joined.subarray(end + 4)
    }
    if (this.#left === CHUNKED) {
      // Nothing comes after the last chunk before the next request, and no JSON ends as it does.
      this.#tail = Buffer.concat([this.#tail, part.subarray(-LAST_CHUNK.length)]).subarray(-LAST_CHUNK.length)
      if (!this.#tail.equals(LAST_CHUNK)) return
      this.#tail = NOTHING
    } else {
      this.#left -= part.length
      if (this.#left > 0) return
    }
    this.#left = -1
    this.#done(this.#status)
  }

  #done(status: number): void {
    const waiting = this.#waiting
    this.#waiting = null
    waiting?.(status)
  }
}

export function openSocket({ port, ca, cert, key }: Identity): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca, cert, key, ALPNProtocols: ['http/1.1'] }, () => resolve(socket))
    socket.setNoDelay(true)
    socket.once('error', reject)
  })
}

export function requestBytes(method: string, path: string, body?: string, type = 'application/json'): Buffer {
  const length = body === undefined ? '' : `content-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`
  return Buffer.from(
    `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json\r\nuser-agent: bench/1\r\n${length}\r\n${body ?? ''}`,
  )
}
