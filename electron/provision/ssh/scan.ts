/** Asks a host for its key without signing in. */
import type { Duplex } from 'node:stream'
import ssh2 from 'ssh2'
import type { Clock } from '../../base/clock.ts'
import { FlotillaError, messageOf } from '../../base/errors.ts'
import { DEFAULT_ALGORITHMS, type Algorithms } from './algorithms.ts'
import type { SshConnection } from './connection.ts'
import { hostKeyAlgorithms, publicKey, type PublicKey } from './host-key.ts'
import { openSocket, type Address } from './socket.ts'

/**
 * The key that the host shows, of the types in `prefer` first. Throws SSH_HOST_UNKNOWN, SSH_UNREACHABLE, or the signal's reason.
 */
export async function scanHostKey(
  address: Address,
  options: {
    clock: Clock
    /** Types of keys to ask for first: those on record. */
    prefer?: readonly string[]
    via?: SshConnection | undefined
    /** Makes the way to the host, instead of TCP. */
    transport?: ((signal: AbortSignal | undefined) => Promise<Duplex>) | undefined
    algorithms?: Algorithms | undefined
    signal?: AbortSignal | undefined
    timeoutMs?: number
  },
): Promise<PublicKey> {
  const { signal, timeoutMs = 15_000, clock } = options
  const { algorithms = DEFAULT_ALGORITHMS } = options
  const socket: Duplex = options.transport
    ? await options.transport(signal)
    : options.via
      ? await options.via.dial(address.host, address.port, signal)
      : await openSocket(address, { clock, timeoutMs, ...(signal ? { signal } : {}) })
  const client = new ssh2.Client()
  const shown = Promise.withResolvers<PublicKey>()
  const onAbort = () => shown.reject(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  client.on('error', (error) => shown.reject(notSsh(address, error)))
  client.on('close', () => shown.reject(notSsh(address, new Error('it closed the connection'))))
  client.connect({
    sock: socket,
    // Never sent: the connection ends before sign-in.
    username: 'nobody',
    readyTimeout: timeoutMs,
    hostVerifier: (blob: Buffer) => {
      shown.resolve(publicKey(blob))
      return false
    },
    algorithms: {
      kex: algorithms.kex,
      cipher: algorithms.cipher,
      hmac: algorithms.mac,
      serverHostKey: hostKeyAlgorithms(options.prefer ?? [], algorithms.hostKey),
    } as never,
  })
  try {
    return await shown.promise
  } finally {
    signal?.removeEventListener('abort', onAbort)
    client.on('error', () => undefined)
    client.destroy()
    socket.destroy()
  }
}

function notSsh({ host, port }: Address, error: unknown): FlotillaError {
  return new FlotillaError('SSH_UNREACHABLE', {
    what: `What answers at ${host} on port ${port} is no usable SSH server.`,
    why: `${messageOf(error)}.`,
    next: 'Check the port.',
    cause: error,
  })
}
