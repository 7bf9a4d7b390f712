/** Client certificates: CN is the user, each O a group. Source: kubernetes "X.509 client certificates". */
import { X509Certificate, type KeyObject } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import { unauthorized } from '../../machinery/status.ts'
import * as x509 from '../../machinery/x509.ts'
import type { Authenticator, UserInfo } from '../types.ts'

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'

/** What was found about a certificate once; only time can change it. */
interface Known {
  readonly user: UserInfo | null
  readonly error: string | null
  readonly notBefore: number
  readonly notAfter: number
}

/**
 * TLS has checked the certificate when the connection was made; it is checked again here because connections live long, and because a
 * certificate that this CA signed for a server is no proof of being its client.
 */
export function x509Authenticator(options: { caPem: string; clock: Clock }): Authenticator {
  const authority = new X509Certificate(options.caPem)
  const { publicKey } = authority
  // By the bytes' identity: those of one connection are one object.
  const known = new WeakMap<Uint8Array, Known>()
  return async ({ certificate }) => {
    if (!certificate) return null
    let facts = known.get(certificate)
    if (!facts) known.set(certificate, (facts = examine(certificate, authority, publicKey)))
    if (facts.error) throw unauthorized(facts.error)
    const now = options.clock.now()
    if (now < facts.notBefore || now > facts.notAfter) throw unauthorized('x509: certificate has expired or is not yet valid')
    return facts.user
  }
}

function examine(der: Uint8Array, authority: X509Certificate, key: KeyObject): Known {
  const bad = (error: string): Known => ({ user: null, error, notBefore: 0, notAfter: 0 })
  let cert: X509Certificate
  try {
    cert = new X509Certificate(der)
  } catch {
    return bad('x509: malformed certificate')
  }
  if (!cert.checkIssued(authority) || !cert.verify(key)) return bad('x509: certificate signed by unknown authority')
  if (!cert.keyUsage?.includes(CLIENT_AUTH)) return bad('x509: certificate specifies an incompatible key usage')
  // Node gives names as escaped text; the ASN.1 value is what was signed.
  const name = new x509.X509Certificate(cert.raw).subjectName
  const [commonName] = name.getField('CN')
  const id = `X509SHA256=${cert.fingerprint256.replaceAll(':', '').toLowerCase()}`
  const user = commonName
    ? { name: commonName, groups: name.getField('O'), extra: { 'authentication.kubernetes.io/credential-id': [id] } }
    : null
  return { user, error: null, notBefore: cert.validFromDate.getTime(), notAfter: cert.validToDate.getTime() }
}
