/** How far a request has come. Source: certificates.k8s.io/v1. */
import type { CertificateSigningRequest, CertificateSigningRequestCondition } from '../../api/certificates/v1/types.gen.ts'
import { formatTime } from '../../api/values/time.ts'
import { isConditionTrue } from '../../machinery/conditions.ts'

export type Decision = 'Approved' | 'Denied' | 'Failed'

export function has({ status }: CertificateSigningRequest, decision: Decision): boolean {
  return isConditionTrue(status.conditions, decision)
}

export function isDecided(request: CertificateSigningRequest): boolean {
  return has(request, 'Approved') || has(request, 'Denied')
}

export function isIssued({ status }: CertificateSigningRequest): boolean {
  return (status.certificate ?? '') !== ''
}

/** The request with one condition more, dated `now`. */
export function withDecision(
  request: CertificateSigningRequest,
  decision: Decision,
  { reason, message, now }: { reason: string; message: string; now: number },
): CertificateSigningRequest {
  const time = formatTime(now)
  const condition: CertificateSigningRequestCondition = {
    type: decision,
    status: 'True',
    reason,
    message,
    lastUpdateTime: time,
    lastTransitionTime: time,
  }
  return { ...request, status: { ...request.status, conditions: [...(request.status.conditions ?? []), condition] } }
}
