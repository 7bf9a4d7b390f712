/** What is said when a connection does not come about. */
import type { Duplex } from 'node:stream'
import { FlotillaError } from '../../base/errors.ts'
import type { Authentication } from './auth.ts'
import { fingerprint, type PublicKey } from './host-key.ts'
import { socketError, type Address } from './socket.ts'

/** Whether a host said anything of its own: its identification or another protocol's words. */
export class Greeting {
  silent = true
  #head = ''

  constructor(socket: Duplex) {
    const onData = (chunk: Buffer) => {
      this.#head += chunk.toString('latin1')
      // OpenSSH says this when MaxStartups or PerSourceMaxStartups is reached, in place of its identification.
      if (/^(Exceeded MaxStartups|Not allowed at this time)?[\r\n]*$/.test(this.#head)) return
      this.silent = false
      socket.off('data', onData)
    }
    socket.on('data', onData)
  }
}

/** ssh2 could not agree with the host, or did not understand it. */
export class HandshakeFailed extends Error {}

export const placeOf = ({ host, port }: Address) => `${host}${port === 22 ? '' : `:${port}`}`

export function handshakeError(options: Address, auth: Authentication, error: Error & { level?: string; code?: unknown }): Error {
  const where = placeOf(options)
  if (error.level === 'client-authentication') return auth.failure(where, error)
  // RFC 4250: 14 is "no more authentication methods available"; OpenSSH sends 2 with this text past MaxAuthTries.
  if (error.code === 14 || /too many authentication failures/i.test(error.message)) return auth.failure(where, error)
  if (error.level === 'client-socket') return socketError(options, error)
  if (error.level === 'client-timeout')
    return new FlotillaError('SSH_UNREACHABLE', {
      what: `${where} did not finish the SSH handshake in time.`,
      why: 'It accepted the connection and then fell silent.',
      next: 'Check that an SSH server runs on that port and is not overloaded.',
      cause: error,
    })
  return new HandshakeFailed(error.message, { cause: error })
}

export function hostKeyChanged({ host, port }: Address, pinned: readonly PublicKey[], shown: PublicKey): FlotillaError {
  return new FlotillaError('SSH_HOST_KEY_CHANGED', {
    what: `${host}${port === 22 ? '' : `:${port}`} is not the host that was confirmed.`,
    why: `It shows ${shown.type} ${fingerprint(shown)}; pinned is ${pinned.map((key) => `${key.type} ${fingerprint(key)}`).join(' or ')}.`,
    next: 'If it was installed anew, remove the machine and add it again. If not, someone may be in between: do not go on.',
  })
}

export function byCommand({ host, port }: Address, error: Error): FlotillaError {
  return new FlotillaError('SSH_UNREACHABLE', {
    what: `Could not reach ${host} on port ${port}.`,
    why: `ProxyCommand said: ${error.message}.`,
    next: 'Check ProxyCommand of this host in ~/.ssh/config.',
    cause: error,
  })
}

/** After as many `attempts`. */
export function turnedAway({ host, port }: Address, attempts: number): FlotillaError {
  return new FlotillaError('SSH_UNREACHABLE', {
    what: `Could not reach ${host} on port ${port}.`,
    why: `The host closed ${attempts} connections before SSH began.`,
    next: 'It may limit how many sign in at once (MaxStartups in sshd_config), or refuse this computer (fail2ban, hosts.deny): look there.',
  })
}

export function lostDuringHandshake({ host }: Address): FlotillaError {
  return new FlotillaError('SSH_CONNECTION_LOST', {
    what: `${host} closed the connection before sign-in was complete.`,
    why: 'Its SSH server ended it without a reason.',
    next: 'Try again; if it stays, look into the log of the SSH server there.',
  })
}
