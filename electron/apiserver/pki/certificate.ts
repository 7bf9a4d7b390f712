/** X.509 (RFC 5280) with ECDSA P-256 keys: one function that issues, and what is read back from certificates. */
import { createHash, webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import * as x509 from '../../machinery/x509.ts'
import type { Random } from '../../base/random.ts'

/** A certificate and its private key (PKCS #8), both PEM. */
export interface KeyPairPem {
  readonly cert: string
  readonly key: string
}

export interface Subject {
  /** CN: the user's name. */
  readonly commonName: string
  /** O: the user's groups. */
  readonly organizations?: readonly string[]
}

export interface Authority {
  readonly cert: x509.X509Certificate
  readonly key: webcrypto.CryptoKey
}

export interface IssueOptions {
  readonly subject: Subject | x509.Name
  readonly publicKey: webcrypto.CryptoKey | x509.PublicKey
  /** Milliseconds since the epoch; cut to the issuer's own validity. */
  readonly notBefore: number
  readonly notAfter: number
  readonly usages: Usages
  /** DNS names and IP addresses. */
  readonly names?: readonly string[]
  /** Further alternative names, as they came in a request. */
  readonly alternativeNames?: x509.SubjectAlternativeNameExtension | null
}

export interface Usages {
  readonly keyUsages: x509.KeyUsageFlags
  /** Object identifiers. */
  readonly extended: readonly string[]
}

export const SERVER_AUTH: Usages = {
  keyUsages: x509.KeyUsageFlags.digitalSignature,
  extended: [x509.ExtendedKeyUsage.serverAuth],
}
export const CLIENT_AUTH: Usages = {
  keyUsages: x509.KeyUsageFlags.digitalSignature,
  extended: [x509.ExtendedKeyUsage.clientAuth],
}

export const EC_P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const
const SHA256 = { name: 'ECDSA', hash: 'SHA-256' } as const

export function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(EC_P256, true, ['sign', 'verify'])
}

export async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`
}

/** Reads a P-256 private key in PKCS #8 PEM, with the public key that belongs to it. Throws what webcrypto throws. */
export async function importPrivateKey(pem: string): Promise<webcrypto.CryptoKeyPair> {
  const [der] = x509.PemConverter.decode(pem)
  if (!der) throw new Error('no PEM block')
  const privateKey = await webcrypto.subtle.importKey('pkcs8', der, EC_P256, true, ['sign'])
  const { kty, crv, x, y } = await webcrypto.subtle.exportKey('jwk', privateKey)
  const publicJwk = Object.fromEntries(Object.entries({ kty, crv, x, y }).filter(([, value]) => value !== undefined))
  const publicKey = await webcrypto.subtle.importKey('jwk', publicJwk, EC_P256, true, ['verify'])
  return { privateKey, publicKey }
}

/** 128 random bits, positive and not zero (RFC 5280, 4.1.2.2). */
function serialNumber(random: Random): string {
  const bytes = Buffer.from(random.bytes(16))
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes.toString('hex')
}

function nameOf(subject: Subject | x509.Name): x509.Name {
  if (subject instanceof x509.Name) return subject
  return new x509.Name([...(subject.organizations ?? []).map((o) => ({ O: [o] })), { CN: [subject.commonName] }])
}

export async function createAuthority(options: {
  commonName: string
  notBefore: number
  notAfter: number
  random: Random
}): Promise<Authority> {
  const keys = await generateKeys()
  const flags = x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    keys,
    name: new x509.Name([{ CN: [options.commonName] }]),
    serialNumber: serialNumber(options.random),
    notBefore: new Date(options.notBefore),
    notAfter: new Date(options.notAfter),
    signingAlgorithm: SHA256,
    extensions: [
      new x509.KeyUsagesExtension(flags, true),
      new x509.BasicConstraintsExtension(true, undefined, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { cert, key: keys.privateKey }
}

/** A leaf certificate as PEM. */
export async function issue(authority: Authority, options: IssueOptions, random: Random): Promise<string> {
  const { usages, names = [] } = options
  const alternative = names.length
    ? new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value })))
    : options.alternativeNames
  const cert = await x509.X509CertificateGenerator.create({
    subject: nameOf(options.subject),
    issuer: authority.cert.subjectName,
    serialNumber: serialNumber(random),
    notBefore: new Date(Math.max(options.notBefore, authority.cert.notBefore.getTime())),
    notAfter: new Date(Math.min(options.notAfter, authority.cert.notAfter.getTime())),
    publicKey: options.publicKey,
    signingKey: authority.key,
    signingAlgorithm: SHA256,
    extensions: [
      // RFC 5280, 4.2.1.3: without a bit that is set it makes the certificate unusable.
      ...(usages.keyUsages ? [new x509.KeyUsagesExtension(usages.keyUsages, true)] : []),
      ...(usages.extended.length ? [new x509.ExtendedKeyUsageExtension([...usages.extended])] : []),
      new x509.BasicConstraintsExtension(false, undefined, true),
      await x509.AuthorityKeyIdentifierExtension.create(authority.cert.publicKey),
      ...(alternative ? [alternative] : []),
    ],
  })
  return `${cert.toString('pem')}\n`
}

/** The key's name in tokens: base64url of the SHA-256 of its SubjectPublicKeyInfo. */
export async function keyId(publicKey: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('spki', publicKey))
  return createHash('sha256').update(der).digest('base64url')
}
