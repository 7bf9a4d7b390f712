/** Takes away requests that nobody waits for any more. Source: kubernetes `pkg/controller/certificates/cleaner`, its ages included. */
import { X509Certificate } from 'node:crypto'
import { certificateSigningRequest } from '../../api/certificates/v1/certificate-signing-request.ts'
import type { CertificateSigningRequest } from '../../api/certificates/v1/types.gen.ts'
import { bytesFromBase64 } from '../../api/values/base64.ts'
import { findCondition } from '../../machinery/conditions.ts'
import { defineController, watch } from '../runtime/controller.ts'
import { itself } from '../runtime/watches.ts'
import { has, isIssued, type Decision } from './decision.ts'

const HOUR = 3_600_000
const DECIDED_AGE = HOUR
const PENDING_AGE = 24 * HOUR
/** A clock may jump: what is due later is looked at again at least so often. */
const LOOK_EVERY = HOUR

export const certificateCleanerController = defineController({
  name: 'certificatesigningrequest-cleaner-controller',
  workers: 1,
  create({ client, clock, informers }) {
    const requests = informers.for(certificateSigningRequest)
    return {
      watches: [watch(requests, itself)],
      async reconcile(name) {
        const request = requests.get(undefined, name)
        if (!request) return undefined
        const wait = endOf(request) - clock.now()
        if (wait > 0) return { requeueAfter: Math.min(wait, LOOK_EVERY) }
        const { uid, resourceVersion } = request.metadata
        await client.delete(certificateSigningRequest, { name }, { preconditions: { uid, resourceVersion } })
        return undefined
      },
    }
  },
})

/** When it may go, in milliseconds since the epoch. */
function endOf(request: CertificateSigningRequest): number {
  const { metadata, status } = request
  const after = (decision: Decision) => {
    const { lastUpdateTime, lastTransitionTime } = findCondition(status.conditions, decision) ?? {}
    return Date.parse(lastUpdateTime ?? lastTransitionTime ?? metadata.creationTimestamp) + DECIDED_AGE
  }
  const ends: number[] = []
  if (!status.conditions?.length) ends.push(Date.parse(metadata.creationTimestamp) + PENDING_AGE)
  if (has(request, 'Denied')) ends.push(after('Denied'))
  if (has(request, 'Failed')) ends.push(after('Failed'))
  if (has(request, 'Approved') && isIssued(request)) ends.push(after('Approved'), expiryOf(status.certificate ?? ''))
  return Math.min(...ends)
}

function expiryOf(certificate: string): number {
  try {
    return Date.parse(new X509Certificate(bytesFromBase64(certificate)).validTo)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
