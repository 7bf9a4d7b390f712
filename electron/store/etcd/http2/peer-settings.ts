import { CODE, ConnectionError, FLAG, MAX_FRAME, MAX_WINDOW, SETTING } from './frame.ts'

const LARGEST_FRAME = 0xffffff

/**
 * The initial window of streams that a client asks for, or null if it says nothing of it; of its other settings none matters to a server
 * that sends frames of the least size, uses no table and pushes nothing. Throws ConnectionError.
 */
export function initialWindowIn(id: number, flags: number, payload: Buffer): number | null {
  if (id !== 0) throw new ConnectionError(CODE.protocolError, 'settings of a stream')
  if (payload.length % 6 !== 0 || (flags & FLAG.ack && payload.length > 0)) {
    throw new ConnectionError(CODE.frameSizeError, 'settings of a wrong size')
  }
  let window: number | null = null
  for (let at = 0; at < payload.length; at += 6) {
    const setting = payload.readUInt16BE(at)
    const value = payload.readUInt32BE(at + 2)
    if (setting === SETTING.enablePush && value > 1) throw new ConnectionError(CODE.protocolError, 'push is neither on nor off')
    if (setting === SETTING.maxFrameSize && (value < MAX_FRAME || value > LARGEST_FRAME)) {
      throw new ConnectionError(CODE.protocolError, `frames of ${value} bytes`)
    }
    if (setting !== SETTING.initialWindowSize) continue
    if (value > MAX_WINDOW) throw new ConnectionError(CODE.flowControlError, 'the window is too large')
    window = value
  }
  return window
}
