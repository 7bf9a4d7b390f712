/** A TCP connection to an SSH host, and what is said when there is none. */
import { connect as connectTcp, type Socket } from 'node:net'
import type { Clock } from '../../base/clock.ts'
import { deadline } from '../../base/clock.ts'
import { FlotillaError, messageOf, systemCode } from '../../base/errors.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

/** Connects within `timeoutMs`. Throws SSH_HOST_UNKNOWN, SSH_UNREACHABLE, or the signal's reason. */
export async function openSocket(address: Address, options: { clock: Clock; timeoutMs: number; signal?: AbortSignal }): Promise<Socket> {
  options.signal?.throwIfAborted()
  const socket = connectTcp({ host: address.host, port: address.port, noDelay: true, keepAlive: true })
  using limit = deadline(options.clock, options.timeoutMs, options.signal)
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
      limit.signal.addEventListener('abort', () => reject(limit.signal.reason as Error), { once: true })
    })
    return socket
  } catch (error) {
    socket.on('error', () => undefined)
    socket.destroy()
    options.signal?.throwIfAborted()
    throw socketError(address, error)
  }
}

/** What a failed connection means to a person. */
export function socketError({ host, port }: Address, error: unknown): FlotillaError {
  const code = error instanceof DOMException && error.name === 'TimeoutError' ? 'ETIMEDOUT' : systemCode(error)
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'ENODATA')
    return new FlotillaError('SSH_HOST_UNKNOWN', {
      what: `There is no host "${host}".`,
      why: code === 'EAI_AGAIN' ? 'No name server answered.' : 'The name does not resolve to an address.',
      next: 'Check the spelling, or use its IP address.',
      cause: error,
    })
  const [why, next] = unreachable(code, port)
  return new FlotillaError('SSH_UNREACHABLE', {
    what: `Could not reach ${host} on port ${port}.`,
    why: why ?? `${messageOf(error)}.`,
    next,
    cause: error,
  })
}

function unreachable(code: string | undefined, port: number): [why: string | null, next: string] {
  switch (code) {
    case 'ECONNREFUSED':
      return [`The host answers, but nothing listens on port ${port}.`, 'Check the port, and that an SSH server runs there.']
    case 'ETIMEDOUT':
      return ['It did not answer in time.', 'Check that it is switched on, the address, and that no firewall is between.']
    case 'EHOSTUNREACH':
    case 'EHOSTDOWN':
      return ['The host does not answer on the network.', 'Check that it is switched on, and the address.']
    case 'ENETUNREACH':
      return ['This computer has no route to that network.', 'Check the network connection, or a VPN that is needed.']
    case 'ECONNRESET':
      return ['The host closed the connection at once.', 'It may limit who connects: check its SSH server and firewall.']
    default:
      return [null, 'Check the address, the port and the network.']
  }
}
