/**
 * Checks of certificate signing requests. Source: kubernetes `apis/certificates/validation`. Of the PKCS #10 and X.509 within only the
 * PEM around is looked at; who has the means (the API server's PKI) checks the rest, with the signature.
 */
import { bytesFromBase64 } from '../../values/base64.ts'
import { semanticEqual } from '../../values/equal.ts'
import { duplicate, forbidden, goQuote, invalid, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { unifiedDiff } from '../../values/unified-diff.ts'
import { signerName } from '../../core/v1/pod-spec/signers.ts'
import type { CertificateSigningRequest, CertificateSigningRequestCondition } from './types.gen.ts'

const USAGES =
  'any,cert sign,client auth,code signing,content commitment,crl sign,data encipherment,decipher only,digital signature,email protection,encipher only,ipsec end system,ipsec tunnel,ipsec user,key agreement,key encipherment,microsoft sgc,netscape sgc,ocsp signing,s/mime,server auth,signing,timestamping'.split(
    ',',
  )
const MIN_SECONDS = 600
const LEGACY_SIGNER = 'kubernetes.io/legacy-unknown'
/** Once there they stay, and are always true. */
const DECISIONS = ['Approved', 'Denied', 'Failed']
const STATUSES = ['False', 'True', 'Unknown']
const BLOCK = /-----BEGIN ([^-\r\n]*)-----\r?\n([^]*?)-----END \1-----/g

interface PemBlock {
  readonly type: string
  readonly hasHeaders: boolean
}

function pemBlocks(base64: string): PemBlock[] {
  const text = new TextDecoder().decode(bytesFromBase64(base64))
  return [...text.matchAll(BLOCK)].map(([, type = '', body = '']) => ({ type, hasHeaders: body.includes(':') }))
}

/** At all times. */
export function validateRequest(request: CertificateSigningRequest): FieldError[] {
  const { spec, status } = request
  const { usages = [], expirationSeconds: seconds } = spec
  const out: FieldError[] = []
  if (pemBlocks(spec.request ?? '')[0]?.type !== 'CERTIFICATE REQUEST') {
    out.push(invalid('spec.request', spec.request, 'PEM block type must be CERTIFICATE REQUEST'))
  }
  if (!usages.length) out.push(required('spec.usages'))
  usages.forEach((usage, i) => {
    if (!USAGES.includes(usage)) out.push(notSupported(`spec.usages[${i}]`, usage, USAGES))
  })
  usages.forEach((usage, i) => {
    if (usages.indexOf(usage) < i) out.push(duplicate(`spec.usages[${i}]`, usage))
  })
  if (spec.signerName === LEGACY_SIGNER) {
    out.push(invalid('spec.signerName', spec.signerName, 'the legacy signerName is not allowed via this API version'))
  } else out.push(...signerName(spec.signerName, 'spec.signerName'))
  if (seconds !== undefined && seconds < MIN_SECONDS) {
    const why = `may not specify a duration less than ${MIN_SECONDS} seconds (10 minutes)`
    out.push(invalid('spec.expirationSeconds', seconds, why))
  }
  return [...out, ...validateConditions(status.conditions ?? []), ...validateCertificate(status.certificate)]
}

function validateConditions(conditions: readonly CertificateSigningRequestCondition[]): FieldError[] {
  const seen = new Set<string>()
  return conditions.flatMap(({ type, status }, i) => {
    const at = `status.conditions[${i}]`
    const out = type ? [] : [required(`${at}.type`)]
    const allowed = DECISIONS.includes(type) ? ['True'] : STATUSES
    if (!status) out.push(required(`${at}.status`))
    else if (!allowed.includes(status)) out.push(notSupported(`${at}.status`, status, allowed))
    if ((type === 'Approved' && seen.has('Denied')) || (type === 'Denied' && seen.has('Approved'))) {
      out.push(invalid(`${at}.type`, type, 'Approved and Denied conditions are mutually exclusive'))
    }
    if (seen.has(type)) out.push(duplicate(`${at}.type`, type))
    seen.add(type)
    return out
  })
}

function validateCertificate(certificate: string | undefined): FieldError[] {
  if (!certificate) return []
  const blocks = pemBlocks(certificate)
  const other = blocks.find(({ type }) => type !== 'CERTIFICATE')
  const fault = !blocks.length
    ? 'must contain at least one CERTIFICATE PEM block'
    : other
      ? `only CERTIFICATE PEM blocks are allowed, found ${goQuote(other.type)}`
      : blocks.some(({ hasHeaders }) => hasHeaders)
        ? 'no PEM block headers are permitted'
        : ''
  return fault ? [invalid('status.certificate', '<certificate data>', fault)] : []
}

const ofType = ({ status }: CertificateSigningRequest, type: string) => (status.conditions ?? []).filter((each) => each.type === type)

/** Puts conditions of these types back to what they were, unless some were added or taken away, which validation refuses. */
export function keepConditions(request: CertificateSigningRequest, old: CertificateSigningRequest, types: readonly string[]): void {
  const { conditions } = request.status
  if (!conditions) return
  for (const type of types) {
    const before = ofType(old, type)
    if (ofType(request, type).length !== before.length) continue
    let next = 0
    conditions.forEach((condition, i) => {
      if (condition.type === type) conditions[i] = structuredClone(before[next++] ?? condition)
    })
  }
}

export function validateRequestUpdate(request: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  const { certificate } = request.status
  return [
    ...validateRemovals(request, old),
    ...validateDecisions(request, old),
    ...(certificate === old.status.certificate ? [] : [forbidden('status.certificate', 'updates may not set certificate content')]),
  ]
}

/** Of who signs. */
export function validateRequestStatus(request: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  const { certificate } = request.status
  const before = old.status.certificate
  return [
    ...validateRequest(request),
    ...validateRemovals(request, old),
    ...validateDecisions(request, old),
    ...(before && certificate !== before ? [forbidden('status.certificate', 'updates may not modify existing certificate content')] : []),
  ]
}

/** Of who decides. */
export function validateApproval(request: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  return [...validateRequest(request), ...validateRemovals(request, old)]
}

function validateRemovals(request: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  return DECISIONS.filter((type) => ofType(request, type).length < ofType(old, type).length).map((type) =>
    forbidden('status.conditions', `updates may not remove a condition of type ${goQuote(type)}`),
  )
}

function validateDecisions(request: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  return ['Approved', 'Denied'].flatMap((type) => {
    const [now, before] = [ofType(request, type), ofType(old, type)]
    if (now.length > before.length) {
      return [forbidden('status.conditions', `updates may not add a condition of type ${goQuote(type)}`)]
    }
    if (now.length < before.length || semanticEqual(now, before)) return []
    return [forbidden('status.conditions', `updates may not modify a condition of type ${goQuote(type)}\n${unifiedDiff(before, now)}`)]
  })
}
