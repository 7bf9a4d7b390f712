/** Waiting for a guest's SSH server. QEMU's forwarded port takes connections before the guest does, so only a greeting counts. */
import { connect } from 'node:net'
import { deadline, type Clock } from '../../base/clock.ts'

/** Whether an SSH server greets on this port of the loopback within `ms`. */
export async function greets(port: number, clock: Clock, ms: number): Promise<boolean> {
  using limit = deadline(clock, ms)
  const socket = connect({ host: '127.0.0.1', port })
  try {
    return await new Promise((resolve) => {
      socket.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1').startsWith('SSH-')))
      socket.once('error', () => resolve(false))
      socket.once('close', () => resolve(false))
      limit.signal.addEventListener('abort', () => resolve(false), { once: true })
    })
  } finally {
    socket.destroy()
  }
}
