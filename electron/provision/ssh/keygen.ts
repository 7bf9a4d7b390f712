/**
 * New Ed25519 keys in OpenSSH's own format. Source: openssh PROTOCOL.key, RFC 8709, RFC 8410. (ssh2's generator loses a leading zero
 * of one public key in 256.)
 */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import type { Random } from '../../base/random.ts'
import { keyText, publicKey, type PublicKey } from './host-key.ts'

export interface KeyPair {
  /** PEM, "OPENSSH PRIVATE KEY", without a passphrase. */
  readonly privateText: string
  readonly publicKey: PublicKey
  /** "ssh-ed25519 AAAA…", without a comment. */
  readonly publicText: string
}

const TYPE = 'ssh-ed25519'
/** PKCS #8 of an Ed25519 key, up to its 32 bytes. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const BLOCK = 8

export function newKeyPair(random: Random, comment: string): KeyPair {
  const seed = Buffer.from(random.bytes(32))
  const point = publicPoint(seed)
  const blob = Buffer.concat([string(TYPE), string(point)])
  // Twice the same number, by which a reader of an encrypted key knows the right passphrase.
  const check = Buffer.from(random.bytes(4))
  const secret = Buffer.concat([check, check, string(TYPE), string(point), string(Buffer.concat([seed, point])), string(comment)])
  const padding = Buffer.from(Array.from({ length: (BLOCK - (secret.length % BLOCK)) % BLOCK }, (_, i) => i + 1))
  const file = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    string('none'),
    string('none'),
    string(''),
    uint32(1),
    string(blob),
    string(Buffer.concat([secret, padding])),
  ])
  const lines = file.toString('base64').match(/.{1,70}/g) ?? []
  const key = publicKey(blob)
  return {
    privateText: `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join('\n')}\n-----END OPENSSH PRIVATE KEY-----\n`,
    publicKey: key,
    publicText: keyText(key),
  }
}

function publicPoint(seed: Buffer): Buffer {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })
  return Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x ?? '', 'base64url')
}

/** RFC 4251 section 5. */
function string(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value as string)
  return Buffer.concat([uint32(bytes.length), bytes])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
