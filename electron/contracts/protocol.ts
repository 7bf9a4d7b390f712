/**
 * The protocol between the app and its UI: calls, and streams that flow both ways, over any ordered message port (Electron IPC, a
 * worker's MessagePort, a WebSocket). Ids are chosen by the caller and are never reused within a connection.
 *
 * A stream: `open`, then `data` either way. `end` from the UI says that it sends no more; `end` or `fail` from the app ends the
 * stream, as does `cancel` from the UI. Each side may send `CREDIT` data messages before the other grants more with `credit`, so
 * that a slow reader stops a fast writer.
 */
export type Message =
  | { readonly t: 'call'; readonly id: number; readonly method: string; readonly arg: unknown }
  | { readonly t: 'result'; readonly id: number; readonly value: unknown }
  | { readonly t: 'open'; readonly id: number; readonly method: string; readonly arg: unknown }
  | { readonly t: 'data'; readonly id: number; readonly value: unknown; readonly bytes?: Uint8Array }
  | { readonly t: 'end'; readonly id: number }
  | { readonly t: 'fail'; readonly id: number; readonly error: ContractFailure }
  /** From the caller: stop. */
  | { readonly t: 'cancel'; readonly id: number }
  | { readonly t: 'credit'; readonly id: number; readonly n: number }

/** Data messages that may be under way in one direction of a stream. */
export const CREDIT = 64

/** How an error crosses: a coded error of ours, or what a Kubernetes Status says, in the same three parts. */
export interface ContractFailure {
  /** An ErrorCode, or "STATUS". */
  readonly code: string
  readonly what: string
  readonly why: string
  readonly next: string
  /** With code STATUS: the Status. */
  readonly status?: unknown
}

export class ContractError extends Error {
  override readonly name = 'ContractError'
  readonly failure: ContractFailure

  constructor(failure: ContractFailure) {
    super([failure.what, failure.why, failure.next].filter(Boolean).join(' '))
    this.failure = failure
  }
}

/** What carries messages. `post` after close is ignored. */
export interface Port {
  post(message: Message): void
  onMessage(listener: (message: Message) => void): void
  onClose(listener: () => void): void
  close(): void
}

/**
 * Messages on a transport of text and binary frames (WebSocket): JSON text, or where there are bytes a binary frame: 4 bytes
 * big-endian length of the JSON head, the head, the bytes.
 */
export function encodeMessage(message: Message): string | Uint8Array {
  if (message.t !== 'data' || !message.bytes) return JSON.stringify(message)
  const { bytes, ...rest } = message
  const head = new TextEncoder().encode(JSON.stringify(rest))
  const frame = new Uint8Array(4 + head.length + bytes.length)
  new DataView(frame.buffer).setUint32(0, head.length)
  frame.set(head, 4)
  frame.set(bytes, 4 + head.length)
  return frame
}

/** Throws a SyntaxError or RangeError on a frame that is not ours. */
export function decodeMessage(frame: string | Uint8Array): Message {
  if (typeof frame === 'string') return checkMessage(JSON.parse(frame))
  const length = new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getUint32(0)
  if (length > frame.length - 4) throw new RangeError('a frame is shorter than it says')
  const head = JSON.parse(new TextDecoder().decode(frame.subarray(4, 4 + length))) as object
  return checkMessage({ ...head, bytes: frame.subarray(4 + length) })
}

/** Throws unless it has the outer shape of a message; what is inside is checked against the channel's schema. */
export function checkMessage(value: unknown): Message {
  const m = value as Partial<Record<'t' | 'id' | 'method' | 'n' | 'error' | 'bytes', unknown>> | null
  const ok =
    typeof m === 'object' &&
    m !== null &&
    typeof m.t === 'string' &&
    ['call', 'result', 'open', 'data', 'end', 'fail', 'cancel', 'credit'].includes(m.t) &&
    Number.isSafeInteger(m.id) &&
    (!['call', 'open'].includes(m.t) || typeof m.method === 'string') &&
    (m.t !== 'credit' || (Number.isSafeInteger(m.n) && (m.n as number) > 0)) &&
    (m.t !== 'fail' || (typeof m.error === 'object' && m.error !== null)) &&
    (m.bytes === undefined || m.bytes instanceof Uint8Array)
  if (!ok) throw new SyntaxError('not a message of the contract')
  return value as Message
}
