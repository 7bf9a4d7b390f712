/** An SSH channel as streams that end, fail and hold back as Node's own do. Source: RFC 4254. */
import { Duplex } from 'node:stream'
import type { ClientChannel } from 'ssh2'

/**
 * A forwarded connection as a Duplex. `lost` says what broke, for a channel that closes before its end was sent.
 * ssh2's own channels never fail a write that waits when they close, and do not destroy as other streams do.
 */
export function channelDuplex(channel: ClientChannel, lost: () => Error | null): Duplex {
  let pending: ((error?: Error | null) => void) | null = null
  let ended = false
  const duplex = new Duplex({
    allowHalfOpen: true,
    read() {
      channel.resume()
    },
    write(chunk: Buffer, _encoding, callback) {
      pending = callback
      channel.write(chunk, () => settle())
    },
    final(callback) {
      channel.end()
      callback()
    },
    destroy(error, callback) {
      settle(error)
      channel.close()
      channel.resume()
      callback(error)
    },
  })
  const settle = (error?: Error | null) => {
    const callback = pending
    pending = null
    callback?.(error)
  }
  channel.on('data', (chunk: Buffer) => {
    if (!duplex.push(chunk)) channel.pause()
  })
  channel.on('end', () => {
    ended = true
    duplex.push(null)
  })
  channel.on('close', () => {
    const reason = lost() ?? new Error('the other end closed the connection')
    if (!ended) duplex.push(null)
    if (!duplex.writableFinished && (pending || lost())) duplex.destroy(reason)
    else duplex.end()
  })
  channel.on('error', (error: Error) => duplex.destroy(error))
  // A connection breaks for all its streams at once, also for those that nobody looks at any more.
  duplex.on('error', () => undefined)
  return duplex
}

/** Writes to a channel and waits while it is full. False if the channel closed before all was taken. */
export function writeChannel(channel: ClientChannel, chunk: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    const onClose = () => resolve(false)
    channel.once('close', onClose)
    channel.write(chunk, () => {
      channel.off('close', onClose)
      resolve(true)
    })
  })
}
