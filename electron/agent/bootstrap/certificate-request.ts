/** A certificate request (RFC 2986) for a new key. */
import { createPublicKey, generateKeyPair, sign } from 'node:crypto'
import { isIP } from 'node:net'
import { promisify } from 'node:util'
import { bits, der, integer, octets, oid, sequence, set, utf8 } from './der.ts'

export interface RequestInput {
  readonly commonName: string
  readonly organization: string
  /** DNS names and addresses that the certificate is for. */
  readonly names: readonly string[]
}

const ORGANIZATION = oid('2.5.4.10')
const COMMON_NAME = oid('2.5.4.3')
const EXTENSION_REQUEST = oid('1.2.840.113549.1.9.14')
const SUBJECT_ALT_NAME = oid('2.5.29.17')
const ECDSA_SHA256 = oid('1.2.840.10045.4.3.2')

/** PEM of a new P-256 key (PKCS #8). */
export async function generateKey(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** PEM of the request, signed with the key. */
export function certificateRequest(key: string, { commonName, organization, names }: RequestInput): string {
  const rdn = (type: Uint8Array, value: string) => set(sequence(type, utf8(value)))
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' })
  const info = sequence(
    integer(0),
    sequence(rdn(ORGANIZATION, organization), rdn(COMMON_NAME, commonName)),
    publicKey,
    der(0xa0, ...(names.length ? [sequence(EXTENSION_REQUEST, set(sequence(alternativeNames(names))))] : [])),
  )
  const request = sequence(info, sequence(ECDSA_SHA256), bits(sign('sha256', info, key)))
  const lines = request.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`
}

function alternativeNames(names: readonly string[]): Buffer {
  const general = names.map((name) => (isIP(name) ? der(0x87, addressBytes(name)) : der(0x82, Buffer.from(name))))
  return sequence(SUBJECT_ALT_NAME, octets(sequence(...general)))
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = address.split('::')
  const words = (part: string) =>
    part
      .split(':')
      .filter(Boolean)
      .map((word) => parseInt(word, 16))
  const [before, after] = [words(head), words(tail ?? '')]
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length
  const all = [...before, ...Array.from({ length: zeros }, () => 0), ...after]
  return Buffer.from(all.flatMap((word) => [word >> 8, word & 0xff]))
}
