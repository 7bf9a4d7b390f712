/** HTTP/2 frames (RFC 9113, sections 4 and 6). */

export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  resetStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

export const FLAG = { ack: 0x1, endStream: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const

export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const

export const CODE = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  enhanceYourCalm: 11,
} as const
export type ErrorCode = (typeof CODE)[keyof typeof CODE]

/** What the client says first. */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')
export const FRAME_HEADER = 9
/** Of a frame's payload, in either direction: the least that a peer may ask for, which all of them can take. */
export const MAX_FRAME = 16_384
export const DEFAULT_WINDOW = 65_535
export const MAX_WINDOW = 0x7fffffff

/** The peer broke the protocol; the connection ends with this code. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** Writes a frame's header at `offset`; returns where its payload begins. */
export function writeFrameHeader(into: Buffer, offset: number, length: number, type: number, flags: number, stream: number): number {
  into[offset] = length >>> 16
  into[offset + 1] = length >>> 8
  into[offset + 2] = length
  into[offset + 3] = type
  into[offset + 4] = flags
  into[offset + 5] = stream >>> 24
  into[offset + 6] = stream >>> 16
  into[offset + 7] = stream >>> 8
  into[offset + 8] = stream
  return offset + FRAME_HEADER
}

export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEADER + payload.length)
  bytes.set(payload, writeFrameHeader(bytes, 0, payload.length, type, flags, stream))
  return bytes
}

export function settingsFrame(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.allocUnsafe(settings.length * 6)
  settings.forEach(([id, value], i) => {
    payload.writeUInt16BE(id, i * 6)
    payload.writeUInt32BE(value, i * 6 + 2)
  })
  return frame(FRAME.settings, 0, 0, payload)
}

export function windowUpdateFrame(stream: number, increment: number): Buffer {
  return frame(FRAME.windowUpdate, 0, stream, uint32(increment))
}

export function resetFrame(stream: number, code: ErrorCode): Buffer {
  return frame(FRAME.resetStream, 0, stream, uint32(code))
}

export function goAwayFrame(lastStream: number, code: ErrorCode, reason: string): Buffer {
  return frame(FRAME.goAway, 0, 0, Buffer.concat([uint32(lastStream), uint32(code), Buffer.from(reason, 'utf8')]))
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(value)
  return bytes
}
