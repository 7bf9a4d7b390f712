import { defineKind, type SubresourceStrategy } from '../../kind.ts'
import type { Time } from '../../meta/v1/object.ts'
import { humanDuration } from '../../values/duration.ts'
import { pathSegmentName } from '../../values/names.ts'
import { age } from '../../values/time.ts'
import { keepConditions, validateApproval, validateRequest, validateRequestStatus, validateRequestUpdate } from './request-validation.ts'
import type { CertificateSigningRequest, CertificateSigningRequestCondition } from './types.gen.ts'

/** Approving and denying: the conditions, and nothing else. */
const approvalStrategy: SubresourceStrategy = {
  prepareForUpdate(object, old) {
    const [request, before] = [object as CertificateSigningRequest, old as CertificateSigningRequest]
    request.spec = structuredClone(before.spec)
    keepConditions(request, before, ['Failed'])
    const { conditions } = request.status
    request.status = { ...structuredClone(before.status), ...(conditions ? { conditions } : {}) }
  },
  validateUpdate: (object, old) => validateApproval(object as CertificateSigningRequest, old as CertificateSigningRequest),
}

export const certificateSigningRequest = defineKind<CertificateSigningRequest>({
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  resource: 'certificatesigningrequests',
  shortNames: ['csr'],
  namespaced: false,
  model: 'io.k8s.api.certificates.v1.CertificateSigningRequest',
  validateName: pathSegmentName,
  subresources: { approval: { verbs: ['get', 'patch', 'update'], strategy: approvalStrategy }, status: true },
  columns: [
    {
      name: 'Age',
      type: 'string',
      description: 'Time since it was made',
      value: ({ metadata }, now) => age(metadata.creationTimestamp, now),
    },
    { name: 'SignerName', type: 'string', description: 'Who is asked to sign', value: ({ spec }) => spec.signerName || '<none>' },
    { name: 'Requestor', type: 'string', description: 'Who asks', value: ({ spec }) => spec.username ?? '' },
    {
      name: 'RequestedDuration',
      type: 'string',
      description: 'How long the certificate shall be valid',
      value: ({ spec }) => (spec.expirationSeconds === undefined ? '<none>' : humanDuration(spec.expirationSeconds * 1000)),
    },
    { name: 'Condition', type: 'string', description: 'What was decided and done', value: conditionText },
  ],
  selectableFields: { 'spec.signerName': ({ spec }) => spec.signerName },
  strategy: {
    defaults({ status }) {
      for (const condition of status.conditions ?? []) condition.status ||= 'True'
    },
    prepareForCreate(request) {
      request.status = {}
    },
    prepareForUpdate(request, old) {
      request.spec = structuredClone(old.spec)
    },
    prepareForStatusUpdate(request, old) {
      keepConditions(request, old, ['Approved', 'Denied'])
    },
    validate: validateRequest,
    validateUpdate: validateRequestUpdate,
    validateStatusUpdate: validateRequestStatus,
  },
})

function conditionText({ status }: CertificateSigningRequest): string {
  const has = (type: string) => status.conditions?.some((condition) => condition.type === type)
  const decided = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending'
  return `${decided}${has('Failed') ? ',Failed' : ''}${status.certificate ? ',Issued' : ''}`
}

/**
 * Dates conditions that have no times: what was so before keeps its time of transition. Whoever has a clock calls this, between
 * `prepare…` and validation of an update of the status or the approval.
 */
export function dateConditions(
  conditions: CertificateSigningRequestCondition[] | undefined,
  old: readonly CertificateSigningRequestCondition[] | undefined,
  now: Time,
): void {
  for (const condition of conditions ?? []) {
    condition.lastUpdateTime ??= now
    const same = old?.find(
      ({ type, status, lastTransitionTime }) => type === condition.type && status === condition.status && lastTransitionTime,
    )
    condition.lastTransitionTime ??= same?.lastTransitionTime ?? now
  }
}
