/** Trying out what a machine's sshd lets through. */
import type { Duplex } from 'node:stream'
import { messageOf } from '../../base/errors.ts'
import type { SshConnection } from '../ssh/connection.ts'

/** Null if ports are forwarded both ways, else what stood in the way. Nothing stays open. */
export async function tryForwarding(connection: SshConnection, signal?: AbortSignal): Promise<string | null> {
  const arrived = Promise.withResolvers<Duplex>()
  let reverse: Awaited<ReturnType<SshConnection['listen']>>
  try {
    reverse = await connection.listen((stream) => arrived.resolve(stream))
  } catch (error) {
    if (connection.closed.aborted) throw error
    return 'sshd does not listen for Flotilla (remote forwarding)'
  }
  try {
    const out = await connection.dial('127.0.0.1', reverse.port, signal)
    const back = await arrived.promise
    for (const stream of [out, back]) stream.on('error', () => undefined).destroy()
    return null
  } catch (error) {
    if (connection.closed.aborted) throw error
    return `sshd does not connect for Flotilla (local forwarding): ${messageOf(error)}`
  } finally {
    await reverse[Symbol.asyncDispose]()
  }
}
