import type { Socket } from 'node:net'

/** Above so many bytes that the socket has not taken, no more is made for it. */
const FULL = 1024 * 1024
/** Up to so many bytes are copied together, which is cheaper than handing over a list. */
const JOIN = 16 * 1024

/** What goes out over a socket: all of one turn of the event loop in one write. */
export class Outbox {
  readonly #socket: Socket
  readonly #onRoom: () => void
  #buffers: Buffer[] = []
  #bytes = 0
  #scheduled = false
  #finished = false
  readonly #flushLater = (): void => {
    this.#scheduled = false
    this.#flush()
  }

  /** `onRoom` is called when it is no longer full. */
  constructor(socket: Socket, onRoom: () => void) {
    this.#socket = socket
    this.#onRoom = onRoom
    socket.on('drain', onRoom)
  }

  /** What waits is more than the peer takes. */
  get full(): boolean {
    return this.#bytes + this.#socket.writableLength > FULL
  }

  push(bytes: Buffer): void {
    if (this.#finished) return
    this.#buffers.push(bytes)
    this.#bytes += bytes.length
    if (this.#scheduled) return
    this.#scheduled = true
    // After all answers that are ready in this turn.
    process.nextTick(this.#flushLater)
  }

  /** Sends what waits, and then says that nothing more will come. `abruptly`: nor is anything more heard. */
  finish(abruptly = false): void {
    if (this.#finished) return
    this.#flush()
    this.#finished = true
    if (abruptly) this.#socket.destroySoon()
    else this.#socket.end()
  }

  #flush(): void {
    const buffers = this.#buffers
    if (buffers.length === 0 || this.#finished) return
    const total = this.#bytes
    const wasFull = this.full
    this.#buffers = []
    this.#bytes = 0
    if (this.#socket.destroyed) return
    if (buffers.length === 1) this.#socket.write(buffers[0] as Buffer)
    else if (total <= JOIN) this.#socket.write(Buffer.concat(buffers, total))
    else {
      this.#socket.cork()
      for (const bytes of buffers) this.#socket.write(bytes)
      this.#socket.uncork()
    }
    if (wasFull && !this.#socket.writableNeedDrain) this.#onRoom()
  }
}
