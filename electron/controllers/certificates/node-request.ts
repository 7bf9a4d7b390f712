/**
 * What a kubelet may ask a certificate for. Source: kubernetes "Certificate Signing Requests" and `apis/certificates/helpers.go`.
 * Requests are read by the parser that the authority signs with, so that none means one thing here and another there.
 */
import type { CertificateSigningRequest } from '../../api/certificates/v1/types.gen.ts'
import { formatIp, parseIp } from '../../api/values/ip.ts'
import { badRequest } from '../../machinery/status.ts'
import * as x509 from '../../machinery/x509.ts'

export const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client'
export const KUBELET_CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client-kubelet'
export const KUBELET_SERVING_SIGNER = 'kubernetes.io/kubelet-serving'

export const NODE_USER_PREFIX = 'system:node:'
export const NODES_GROUP = 'system:nodes'

const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17'

export interface RequestedNames {
  readonly commonName: string
  readonly organizations: readonly string[]
  readonly dns: readonly string[]
  /** In canonical form. */
  readonly addresses: readonly string[]
  /** How many alternative names are of another type, or cannot be read. */
  readonly others: number
}

/** Throws Status `BadRequest` if it is not PKCS #10 in PEM. */
export function requestedNames({ spec }: CertificateSigningRequest): RequestedNames {
  let csr: x509.Pkcs10CertificateRequest
  try {
    csr = new x509.Pkcs10CertificateRequest(Buffer.from(spec.request, 'base64').toString('utf8'))
  } catch (error) {
    throw badRequest('the certificate request is not PKCS #10 in PEM', error)
  }
  const extensions = csr.extensions.filter(({ type }) => type === SUBJECT_ALTERNATIVE_NAME)
  const names = extensions.flatMap((extension): readonly (x509.GeneralName | null)[] =>
    extension instanceof x509.SubjectAlternativeNameExtension ? extension.names.items : [null],
  )
  const commonNames = csr.subjectName.getField('CN')
  const dns: string[] = []
  const addresses: string[] = []
  let others = 0
  for (const name of names) {
    const address = name?.type === 'ip' ? parseIp(name.value) : null
    if (name?.type === 'dns') dns.push(name.value)
    else if (address) addresses.push(formatIp(address))
    else others++
  }
  return {
    commonName: commonNames.length === 1 ? (commonNames[0] ?? '') : '',
    organizations: csr.subjectName.getField('O'),
    dns,
    addresses,
    others: extensions.length > 1 ? others + 1 : others,
  }
}

/** Null if it is a request for a kubelet's client certificate; else why not. */
export function kubeletClientFault(request: CertificateSigningRequest): string | null {
  const names = requestedNames(request)
  const { dns, addresses, others } = names
  if (dns.length + addresses.length + others > 0) return 'subject alternative names are not allowed'
  return nodeSubjectFault(names) ?? usagesFault(request, 'client auth')
}

/** Null if it is a request for a kubelet's serving certificate; else why not. Whose names these are is not looked at. */
export function kubeletServingFault(request: CertificateSigningRequest): string | null {
  const names = requestedNames(request)
  const { dns, addresses, others } = names
  if (others > 0) return 'only DNS and IP subject alternative names are allowed'
  if (dns.length + addresses.length === 0) return 'a DNS or IP subject alternative name is required'
  return nodeSubjectFault(names) ?? usagesFault(request, 'server auth')
}

function nodeSubjectFault({ organizations, commonName }: RequestedNames): string | null {
  if (organizations.length !== 1 || organizations[0] !== NODES_GROUP) return `subject organization is not ${NODES_GROUP}`
  const named = commonName.startsWith(NODE_USER_PREFIX) && commonName.length > NODE_USER_PREFIX.length
  return named ? null : `subject common name does not begin with ${NODE_USER_PREFIX}`
}

/** "key encipherment" is for RSA keys only and may be left out. */
function usagesFault({ spec }: CertificateSigningRequest, purpose: 'client auth' | 'server auth'): string | null {
  const asked = new Set<string>(spec.usages)
  asked.delete('key encipherment')
  const wanted = new Set(['digital signature', purpose])
  return asked.size === wanted.size && asked.isSubsetOf(wanted) ? null : `usages must be ${[...wanted].join(', ')}`
}

/** Null if it is a request for a client certificate of the API server; else why not. */
export function clientFault({ spec }: CertificateSigningRequest): string | null {
  const allowed = ['digital signature', 'key encipherment', 'client auth']
  const odd = spec.usages?.find((usage) => !allowed.includes(usage))
  if (odd) return `invalid usage for client certificate: ${odd}`
  return spec.usages?.includes('client auth') ? null : 'missing required usage for client certificate: client auth'
}
