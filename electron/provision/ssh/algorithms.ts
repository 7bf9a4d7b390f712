/**
 * The algorithms that are offered to a host, what a host offers itself, and what is said when they have none in common. Source:
 * RFC 4253 sections 4.2, 6 and 7.1; ssh_config(5) "Ciphers", "MACs", "KexAlgorithms", "HostKeyAlgorithms".
 */
import type { Duplex } from 'node:stream'
import { deadline, type Clock } from '../../base/clock.ts'
import { FlotillaError } from '../../base/errors.ts'
import { matchPatterns } from './patterns.ts'

/** In order of preference, by OpenSSH's names. */
export interface Algorithms {
  readonly kex: readonly string[]
  readonly hostKey: readonly string[]
  readonly cipher: readonly string[]
  readonly mac: readonly string[]
}

/** What ssh_config says of them: "a,b" in place of the default, or with "+", "-" or "^" in front a change to it. */
export type AlgorithmChanges = { readonly [K in keyof Algorithms]?: string }

export const DEFAULT_ALGORITHMS: Algorithms = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group14-sha256',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group18-sha512',
  ],
  hostKey: ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'],
  cipher: ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'aes128-ctr', 'aes192-ctr', 'aes256-ctr', 'chacha20-poly1305@openssh.com'],
  mac: [
    'hmac-sha2-256-etm@openssh.com',
    'hmac-sha2-512-etm@openssh.com',
    'hmac-sha1-etm@openssh.com',
    'hmac-sha2-256',
    'hmac-sha2-512',
    'hmac-sha1',
  ],
}

/**
 * What ssh_config must ask for by name: what is not safe any more, and the exchange of groups, for which Node proves the group's prime
 * anew each time, many seconds for the usual 8192 bits.
 */
const ON_REQUEST: Algorithms = {
  kex: [
    'diffie-hellman-group-exchange-sha256',
    'diffie-hellman-group-exchange-sha1',
    'diffie-hellman-group14-sha1',
    'diffie-hellman-group1-sha1',
  ],
  hostKey: ['ssh-dss'],
  cipher: ['aes256-cbc', 'aes192-cbc', 'aes128-cbc', '3des-cbc'],
  mac: ['hmac-sha2-256-96', 'hmac-sha2-512-96', 'hmac-sha1-96', 'hmac-md5', 'hmac-md5-96'],
}

const FIELDS = ['kex', 'hostKey', 'cipher', 'mac'] as const

/** The defaults with a host's changes; names that we do not know are left out, and a list that would then be empty stays as it was. */
export function algorithmsFor(changes: AlgorithmChanges): Algorithms {
  const one = (field: keyof Algorithms) => changed(DEFAULT_ALGORITHMS[field], ON_REQUEST[field], changes[field])
  return { kex: one('kex'), hostKey: one('hostKey'), cipher: one('cipher'), mac: one('mac') }
}

function changed(usual: readonly string[], onRequest: readonly string[], change: string | undefined): readonly string[] {
  if (!change) return usual
  const sign = /^[+^-]/.test(change) ? change[0] : ''
  const patterns = change.slice(sign ? 1 : 0).split(',')
  const named = patterns.flatMap((pattern) => [...usual, ...onRequest].filter((name) => matchPatterns([pattern], name)))
  const list =
    sign === '-'
      ? usual.filter((name) => !named.includes(name))
      : sign === '+'
        ? [...usual, ...named]
        : sign === '^'
          ? [...named, ...usual]
          : named
  return list.length ? [...new Set(list)] : usual
}

/** What a host offers, and the program that says so: "OpenSSH_9.2p1 Debian-2". */
export interface HostAlgorithms extends Algorithms {
  readonly software: string
}

const MAX_BANNER = 16_384
const KEXINIT = 20

/**
 * Reads a host's first packet, which is sent in the clear and unasked. Null if what answers does not get that far in time. The stream
 * is destroyed.
 */
export async function askAlgorithms(stream: Duplex, clock: Clock, timeoutMs: number): Promise<HostAlgorithms | null> {
  using limit = deadline(clock, timeoutMs)
  const onAbort = () => stream.destroy()
  limit.signal.addEventListener('abort', onAbort, { once: true })
  stream.on('error', () => undefined)
  stream.write('SSH-2.0-Flotilla\r\n')
  let got = Buffer.alloc(0)
  try {
    for await (const chunk of stream) {
      got = Buffer.concat([got, chunk as Buffer])
      const found = parseGreeting(got)
      if (found) return found
      if (got.length > 4 * MAX_BANNER) return null
    }
    return null
  } catch {
    return null
  } finally {
    stream.destroy()
  }
}

/** Of the lines up to the identification and the packet after it; null while it is not whole. */
export function parseGreeting(bytes: Buffer): HostAlgorithms | null {
  const head = /(?:^|\n)SSH-(?:2\.0|1\.99)-([^\r\n]*)\r?\n/.exec(bytes.toString('latin1', 0, MAX_BANNER))
  if (!head) return null
  const packet = bytes.subarray(head.index + head[0].length)
  if (packet.length < 6 || packet[5] !== KEXINIT || packet.length < 4 + packet.readUInt32BE(0)) return null
  let at = 6 + 16
  const list = (): string[] => {
    if (at + 4 > packet.length) return []
    const end = at + 4 + packet.readUInt32BE(at)
    const text = packet.toString('latin1', at + 4, end)
    at = end
    return text ? text.split(',') : []
  }
  const [kex, hostKey, cipher, , mac] = [list(), list(), list(), list(), list()]
  const pseudo = /^(ext-info-|kex-strict-)/
  return { software: head[1] ?? '', kex: kex.filter((name) => !pseudo.test(name)), hostKey, cipher, mac }
}

const NAMES: Record<keyof Algorithms, { readonly title: string; readonly option: string }> = {
  kex: { title: 'key exchange', option: 'KexAlgorithms' },
  hostKey: { title: 'host key', option: 'HostKeyAlgorithms' },
  cipher: { title: 'cipher', option: 'Ciphers' },
  mac: { title: 'MAC', option: 'MACs' },
}

/** Ciphers that need no MAC beside them. */
const WITH_OWN_MAC = /gcm@openssh\.com$|^chacha20-poly1305@/

/** The error that names both sides' algorithms of the first kind in which they have none in common; null if there is no such kind. */
export function noCommonAlgorithm(where: string, ours: Algorithms, theirs: HostAlgorithms): FlotillaError | null {
  const common = (field: keyof Algorithms) => ours[field].filter((name) => theirs[field].includes(name))
  const field = FIELDS.find((one) => common(one).length === 0 && !(one === 'mac' && WITH_OWN_MAC.test(common('cipher')[0] ?? '')))
  if (!field) return null
  const { title, option } = NAMES[field]
  const possible = ON_REQUEST[field].find((name) => theirs[field].includes(name))
  return new FlotillaError('SSH_UNREACHABLE', {
    what: `${where} and Flotilla have no ${title} algorithm in common.`,
    why: `The host (${theirs.software}) offers ${theirs[field].join(', ') || 'none'}; Flotilla offers ${ours[field].join(', ')}.`,
    next: possible
      ? `Allow one of Flotilla's in ${option} of its sshd_config, or accept one of the host's for it in your ~/.ssh/config: ${option} +${possible}`
      : `Allow one of Flotilla's in ${option} of its sshd_config.`,
  })
}
