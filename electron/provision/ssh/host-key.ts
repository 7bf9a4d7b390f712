/** Public keys as OpenSSH writes them. Source: RFC 4253 section 6.6, sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT". */
import { createHash } from 'node:crypto'
import { FlotillaError } from '../../base/errors.ts'
import { DEFAULT_ALGORITHMS } from './algorithms.ts'

/** A host's or a user's public key: the blob of RFC 4253, whose first field is its type. */
export interface PublicKey {
  /** "ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa", … */
  readonly type: string
  readonly blob: Buffer
}

export function publicKey(blob: Uint8Array): PublicKey {
  const bytes = Buffer.from(blob)
  const length = bytes.length >= 4 ? bytes.readUInt32BE(0) : 0
  if (length === 0 || length > 64 || bytes.length < 4 + length) throw new RangeError('not a public key')
  return { type: bytes.toString('latin1', 4, 4 + length), blob: bytes }
}

/** "ssh-ed25519 AAAA…", as in known_hosts and authorized_keys, without a comment. */
export function keyText(key: PublicKey): string {
  return `${key.type} ${key.blob.toString('base64')}`
}

/** Reads "TYPE BASE64 [comment]"; null if it is not that. */
export function parseKeyText(text: string): PublicKey | null {
  const [type, base64] = text.trim().split(/\s+/)
  if (!type || !base64) return null
  try {
    const key = publicKey(Buffer.from(base64, 'base64'))
    return key.type === type ? key : null
  } catch {
    return null
  }
}

/** Like `parseKeyText`, for what a person or an object gave; throws INVALID_INPUT. */
export function requireKey(text: string): PublicKey {
  const key = parseKeyText(text)
  if (key) return key
  throw new FlotillaError('INVALID_INPUT', {
    what: 'This is not a host key.',
    why: `"${text.slice(0, 40)}" is not of the form "ssh-ed25519 AAAA…".`,
    next: 'Copy the line that ssh-keyscan prints, without the host name.',
  })
}

/** "SHA256:…" without padding, as `ssh-keygen -l` and ssh itself print it. */
export function fingerprint(key: PublicKey): string {
  return `SHA256:${createHash('sha256').update(key.blob).digest('base64').replace(/=+$/, '')}`
}

export function sameKey(a: PublicKey, b: PublicKey): boolean {
  return a.blob.equals(b.blob)
}

/** The host key algorithms of `usual`, so ordered that a host with several keys shows one of the types on record, and another if it has none. */
export function hostKeyAlgorithms(types: readonly string[], usual: readonly string[] = DEFAULT_ALGORITHMS.hostKey): string[] {
  const first = types.flatMap((type) => (type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'] : [type]))
  return [...new Set([...first, ...usual])].filter((name) => usual.includes(name))
}
