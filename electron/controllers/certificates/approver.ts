/**
 * Says yes to the requests of kubelets. Source: kubernetes `pkg/controller/certificates/approver`, which leaves serving certificates
 * to a person because it cannot know a node's names; here the Node and the Machine tell them. Whatever else is asked for is left
 * alone: somebody may still decide on it.
 */
import { subjectAccessReview } from '../../api/authorization/v1/subject-access-review.ts'
import { certificateSigningRequest } from '../../api/certificates/v1/certificate-signing-request.ts'
import type { CertificateSigningRequest } from '../../api/certificates/v1/types.gen.ts'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import type { Node } from '../../api/core/v1/types.gen.ts'
import { machine as machineKind } from '../../api/infra/v1alpha1/machine.ts'
import type { Machine } from '../../api/infra/v1alpha1/types.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { formatIp, parseIp } from '../../api/values/ip.ts'
import { defineController, watch, type Change } from '../runtime/controller.ts'
import { itself } from '../runtime/watches.ts'
import { isDecided, isIssued, withDecision } from './decision.ts'
import {
  KUBELET_CLIENT_SIGNER,
  KUBELET_SERVING_SIGNER,
  kubeletClientFault,
  kubeletServingFault,
  NODE_USER_PREFIX,
  NODES_GROUP,
  requestedNames,
} from './node-request.ts'

export const certificateApprovingController = defineController({
  name: 'certificatesigningrequest-approving-controller',
  workers: 2,
  create(context) {
    const { client, clock, informers, logger } = context
    const requests = informers.for(certificateSigningRequest)
    const nodes = informers.for(nodeKind)
    const machines = informers.for(machineKind)

    /** What of a node is now known may be what a request of its waits for. */
    const waiting = ({ object: { metadata } }: Change<KubeObject>): string[] =>
      requests
        .list()
        .filter((request) => !isDecided(request) && request.spec.username === `${NODE_USER_PREFIX}${metadata.name}`)
        .map((request) => request.metadata.name)

    return {
      watches: [watch(requests, itself), watch(nodes, waiting), watch(machines, waiting)],
      async reconcile(name) {
        const request = requests.get(undefined, name)
        if (!request || isDecided(request) || isIssued(request)) return undefined
        const { signerName } = request.spec
        if (signerName === KUBELET_CLIENT_SIGNER) await decideClient(request)
        if (signerName === KUBELET_SERVING_SIGNER) await decideServing(request)
        return undefined
      },
    }

    async function decideClient(request: CertificateSigningRequest): Promise<void> {
      const fault = kubeletClientFault(request)
      if (fault !== null) return logger.debug('a request is left to others', { request: request.metadata.name, why: fault })
      const renewal = request.spec.username === requestedNames(request).commonName
      if (renewal && (await allowed(request, 'selfnodeclient')))
        return approve(request, 'Auto approving self kubelet client certificate after SubjectAccessReview.')
      if (await allowed(request, 'nodeclient'))
        return approve(request, 'Auto approving kubelet client certificate after SubjectAccessReview.')
    }

    async function allowed({ spec }: CertificateSigningRequest, subresource: string): Promise<boolean> {
      const { username, groups, uid, extra } = spec
      const { status } = await client.create(subjectAccessReview, {
        spec: {
          ...(username === undefined ? {} : { user: username }),
          ...(groups === undefined ? {} : { groups }),
          ...(uid === undefined ? {} : { uid }),
          ...(extra === undefined ? {} : { extra }),
          resourceAttributes: {
            group: certificateSigningRequest.group,
            version: '*',
            resource: certificateSigningRequest.resource,
            subresource,
            verb: 'create',
          },
        },
      })
      return status.allowed
    }

    async function decideServing(request: CertificateSigningRequest): Promise<void> {
      const why = kubeletServingFault(request) ?? servingFault(request)
      if (why !== null) return logger.debug('a request is left to others', { request: request.metadata.name, why })
      await approve(request, 'Auto approving kubelet serving certificate: the names are those of the node that asks.')
    }

    /** A node asks for itself, and for nothing that it is not known by. */
    function servingFault(request: CertificateSigningRequest): string | null {
      const { username, groups = [] } = request.spec
      const { commonName, dns, addresses } = requestedNames(request)
      if (username !== commonName || !groups.includes(NODES_GROUP)) return 'it is not the node itself that asks'
      const name = commonName.slice(NODE_USER_PREFIX.length)
      const known = addressesOf(nodes.get(undefined, name), machines.get(undefined, name))
      const strange = dns.find((one) => one !== name) ?? addresses.find((one) => !known.has(one))
      return strange === undefined ? null : `${strange} is not known to be the node ${name}`
    }

    async function approve(request: CertificateSigningRequest, message: string): Promise<void> {
      const approved = withDecision(request, 'Approved', { reason: 'AutoApproved', message, now: clock.now() })
      await client.update(certificateSigningRequest, approved, { subresource: 'approval' })
    }
  },
})

/** IP addresses in canonical form. */
function addressesOf(node: Node | undefined, machine: Machine | undefined): Set<string> {
  const texts = [
    ...(node?.status.addresses ?? []).map(({ address }) => address),
    machine?.spec.nodeIP,
    machine?.status.address,
    machine?.spec.ssh?.host,
  ]
  return new Set(
    texts.flatMap((text) => {
      const address = parseIp(text ?? '')
      return address ? [formatIp(address)] : []
    }),
  )
}
