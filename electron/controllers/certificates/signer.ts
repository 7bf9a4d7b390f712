/** Issues what was approved. Source: kubernetes `pkg/controller/certificates/signer`. */
import { certificateSigningRequest } from '../../api/certificates/v1/certificate-signing-request.ts'
import type { CertificateSigningRequest } from '../../api/certificates/v1/types.gen.ts'
import { base64FromText } from '../../api/values/base64.ts'
import { messageOf } from '../../base/errors.ts'
import { hasReason } from '../../machinery/status.ts'
import { defineController, watch } from '../runtime/controller.ts'
import { itself } from '../runtime/watches.ts'
import { has, isIssued, withDecision } from './decision.ts'
import {
  CLIENT_SIGNER,
  clientFault,
  KUBELET_CLIENT_SIGNER,
  KUBELET_SERVING_SIGNER,
  kubeletClientFault,
  kubeletServingFault,
} from './node-request.ts'

/** What each signer refuses, and why. Those of other domains sign elsewhere. */
const FAULTS: Readonly<Record<string, (request: CertificateSigningRequest) => string | null>> = {
  [CLIENT_SIGNER]: clientFault,
  [KUBELET_CLIENT_SIGNER]: kubeletClientFault,
  [KUBELET_SERVING_SIGNER]: kubeletServingFault,
  'kubernetes.io/legacy-unknown': () => null,
}

export const certificateSigningController = defineController({
  name: 'certificatesigningrequest-signing-controller',
  workers: 2,
  create({ client, clock, informers, options: { signer } }) {
    if (!signer) return null
    const requests = informers.for(certificateSigningRequest)

    const signed = async (request: CertificateSigningRequest): Promise<CertificateSigningRequest> => {
      const { spec, status } = request
      try {
        const pem = Buffer.from(spec.request, 'base64').toString('utf8')
        const certificate = await signer.sign(pem, { usages: spec.usages ?? [], expirationSeconds: spec.expirationSeconds })
        return { ...request, status: { ...status, certificate: base64FromText(certificate) } }
      } catch (error) {
        if (!hasReason(error, 'BadRequest')) throw error
        return withFailure(request, 'SigningFailure', messageOf(error))
      }
    }

    const withFailure = (request: CertificateSigningRequest, reason: string, message: string) =>
      withDecision(request, 'Failed', { reason, message, now: clock.now() })

    const report = async (request: CertificateSigningRequest): Promise<void> => {
      await client.update(certificateSigningRequest, request, { subresource: 'status' })
    }

    return {
      watches: [watch(requests, itself)],
      async reconcile(name) {
        const request = requests.get(undefined, name)
        const faultOf = FAULTS[request?.spec.signerName ?? '']
        if (!request || !faultOf || isIssued(request)) return undefined
        if (!has(request, 'Approved') || has(request, 'Denied') || has(request, 'Failed')) return undefined
        const fault = faultOf(request)
        if (fault !== null) await report(withFailure(request, 'SignerValidationFailure', fault))
        else await report(await signed(request))
        return undefined
      },
    }
  },
})
