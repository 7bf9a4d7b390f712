/** gRPC's length-prefixed messages (gRPC over HTTP/2, "Length-Prefixed-Message"). */
import { GrpcError, STATUS } from './status.ts'

export const PREFIX = 5
/** Of a message that is received: etcd's limit of a request, and what it allows for the rest of it. */
export const MAX_MESSAGE = 1.5 * 1024 * 1024 + 512 * 1024

/** A prefixed message of so many bytes, which begin at PREFIX and are to be written. */
export function allocateMessage(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(PREFIX + length)
  bytes[0] = 0
  bytes.writeUInt32BE(length, 1)
  return bytes
}

export function prefixed(message: Uint8Array): Buffer {
  const bytes = allocateMessage(message.length)
  bytes.set(message, PREFIX)
  return bytes
}

/** The end of the message that begins at `at`, or null if more bytes are needed. Throws GrpcError. */
function endOf(bytes: Buffer, at: number): number | null {
  if (bytes.length - at < PREFIX) return null
  const length = bytes.readUInt32BE(at + 1)
  if (bytes[at] !== 0) throw new GrpcError(STATUS.unimplemented, 'grpc: compressed messages are not supported')
  if (length > MAX_MESSAGE) {
    throw new GrpcError(STATUS.resourceExhausted, `grpc: received message larger than max (${length} vs. ${MAX_MESSAGE})`)
  }
  const end = at + PREFIX + length
  return end <= bytes.length ? end : null
}

/** Takes a body apart into messages, however it is cut. */
export class MessageReader {
  #parts: Buffer[] = []
  #size = 0
  /** How much must be there before a look is worth while. */
  #wanted = PREFIX

  /** Bytes that wait for the rest of their message. */
  get waiting(): number {
    return this.#size
  }

  /**
   * The messages that are complete now. They share the memory of `bytes`, which is copied if some of it must wait. Throws GrpcError.
   */
  push(bytes: Buffer): Buffer[] {
    if (this.#size + bytes.length < this.#wanted) {
      this.#keep(bytes)
      return []
    }
    const all = this.#size === 0 ? bytes : Buffer.concat([...this.#parts, bytes])
    this.#parts = []
    this.#size = 0
    const messages: Buffer[] = []
    let at = 0
    for (let end = endOf(all, at); end !== null; end = endOf(all, at)) {
      messages.push(all.subarray(at + PREFIX, end))
      at = end
    }
    const left = all.length - at
    this.#wanted = left < PREFIX ? PREFIX : PREFIX + all.readUInt32BE(at + 1)
    if (left > 0) this.#keep(all.subarray(at))
    return messages
  }

  #keep(bytes: Buffer): void {
    this.#parts.push(Buffer.from(bytes))
    this.#size += bytes.length
  }
}
