/** Signs certificate requests with the cluster CA, as the signer of CertificateSigningRequests (certificates.k8s.io/v1) needs it. */
import * as x509 from '../../machinery/x509.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { badRequest } from '../../machinery/status.ts'
import { issue, type Authority, type Usages } from './certificate.ts'
import { BACKDATE, YEAR } from './state.ts'

export interface CertificateSigner {
  /**
   * `request` is PKCS #10 in PEM; subject, key and alternative names are taken from it, extensions are not. `usages` are named as in
   * CertificateSigningRequest.spec. Valid for `expirationSeconds`, at least ten minutes, at most a year, which is also the default.
   * Throws Status `BadRequest` if the request cannot be read, its signature does not hold, or a usage is unknown.
   */
  sign(request: string, options: { usages: readonly string[]; expirationSeconds?: number | undefined }): Promise<string>
}

const KEY_USAGES: Readonly<Record<string, x509.KeyUsageFlags>> = {
  signing: x509.KeyUsageFlags.digitalSignature,
  'digital signature': x509.KeyUsageFlags.digitalSignature,
  'content commitment': x509.KeyUsageFlags.nonRepudiation,
  'key encipherment': x509.KeyUsageFlags.keyEncipherment,
  'key agreement': x509.KeyUsageFlags.keyAgreement,
  'data encipherment': x509.KeyUsageFlags.dataEncipherment,
  'encipher only': x509.KeyUsageFlags.encipherOnly,
  'decipher only': x509.KeyUsageFlags.decipherOnly,
}

const EXTENDED_USAGES: Readonly<Record<string, string>> = {
  'server auth': x509.ExtendedKeyUsage.serverAuth,
  'client auth': x509.ExtendedKeyUsage.clientAuth,
  'code signing': x509.ExtendedKeyUsage.codeSigning,
  'email protection': x509.ExtendedKeyUsage.emailProtection,
  's/mime': x509.ExtendedKeyUsage.emailProtection,
  timestamping: x509.ExtendedKeyUsage.timeStamping,
  'ocsp signing': x509.ExtendedKeyUsage.ocspSigning,
}

const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17'
const SHORTEST = 10 * 60_000

export function createSigner(options: { authority: Authority; clock: Clock; random: Random }): CertificateSigner {
  const { authority, clock, random } = options
  return {
    async sign(request, { usages, expirationSeconds }) {
      const csr = await readRequest(request)
      const now = clock.now()
      const asked = expirationSeconds === undefined ? YEAR : expirationSeconds * 1000
      return issue(
        authority,
        {
          subject: csr.subjectName,
          publicKey: csr.publicKey,
          notBefore: now - Math.min(BACKDATE, asked),
          notAfter: now + Math.min(Math.max(asked, SHORTEST), YEAR),
          usages: usagesOf(usages),
          alternativeNames: alternativeNamesOf(csr),
        },
        random,
      )
    },
  }
}

async function readRequest(pem: string): Promise<x509.Pkcs10CertificateRequest> {
  let csr: x509.Pkcs10CertificateRequest
  try {
    csr = new x509.Pkcs10CertificateRequest(pem)
  } catch (error) {
    throw badRequest('the certificate request is not PKCS #10 in PEM', error)
  }
  if (!(await csr.verify())) throw badRequest("the certificate request's signature does not match its public key")
  return csr
}

function alternativeNamesOf(csr: x509.Pkcs10CertificateRequest): x509.SubjectAlternativeNameExtension | null {
  const extension = csr.getExtension(SUBJECT_ALTERNATIVE_NAME)
  return extension instanceof x509.SubjectAlternativeNameExtension ? extension : null
}

function usagesOf(names: readonly string[]): Usages {
  let keyUsages = 0
  const extended = new Set<string>()
  for (const name of names) {
    const flag = KEY_USAGES[name]
    const oid = EXTENDED_USAGES[name]
    if (flag !== undefined) keyUsages |= flag
    else if (oid !== undefined) extended.add(oid)
    else throw badRequest(`the usage ${JSON.stringify(name)} is not one that this authority signs`)
  }
  return { keyUsages, extended: [...extended] }
}
