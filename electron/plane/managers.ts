/** What keeps the cluster as declared: the controllers and the scheduler, each under the user that Kubernetes gives it. */
import { hostname } from 'node:os'
import { service as serviceKind } from '../api/core/v1/service.ts'
import { signLegacyToken, type LegacySubject } from '../apiserver/authn/legacy-tokens.ts'
import { type Component, startIn } from '../base/lifecycle.ts'
import type { Client } from '../client/client.ts'
import { elected } from '../client/leader-election.ts'
import { createControllers } from '../controllers/controllers.ts'
import { hasReason } from '../machinery/status.ts'
import { createScheduler } from '../scheduler/scheduler.ts'
import type { Api, PlaneDeps } from './api.ts'
import { CLUSTER_CIDR, DNS_VIP, SERVICE_CIDR, type PlaneConfig } from './config.ts'
import { ensureLocalClass } from './local-class.ts'
import { readSchedulerFile } from './scheduler-file.ts'
import { paths } from './state-dir.ts'

const AUTHENTICATED = ['system:authenticated']

/**
 * When it resolves both have seen the whole cluster. Where the store is shared with other planes, each of the two waits for its lease
 * first; then they may be at work elsewhere.
 */
export async function startManagers(
  api: Api,
  { stateDir }: Pick<PlaneConfig, 'stateDir'>,
  deps: PlaneDeps,
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, logger } = deps
  const configuration = await readSchedulerFile(paths(stateDir).scheduler)
  await ensureDnsService(api)
  await ensureLocalClass(adminOf(api))
  const identity = `${hostname()}_${random.uuid()}`
  const manager = (name: string, part: string, make: (own: { client: Client } & PlaneDeps) => Component): Component => {
    const client = api.server.clientFor({ name: `system:${name}`, groups: AUTHENTICATED }, name)
    const own = { client, clock, random, logger: logger.child({ part }) }
    return api.shared ? elected({ ...own, identity, lease: { namespace: 'kube-system', name } }, () => make(own)) : make(own)
  }
  const { signer, caPem: rootCa, serviceAccountKeys } = api.pki
  const signToken = (subject: LegacySubject) => signLegacyToken(serviceAccountKeys, subject)
  const options = { signer, rootCa, signToken, clusterCidr: CLUSTER_CIDR, serviceCidr: SERVICE_CIDR }
  const controllers = manager('kube-controller-manager', 'controllers', (own) => createControllers({ ...own, options }))
  const scheduler = manager('kube-scheduler', 'scheduler', (own) => {
    const made = createScheduler({ ...own, ...configuration })
    api.placements.from(made)
    return made
  })
  for (const [name, part] of Object.entries({ 'controller-manager': controllers, scheduler }))
    api.server.addComponent(name, () => {
      if (part.state !== 'ready') throw new Error(`it is ${part.state}`)
    })
  await Promise.all([startIn(stack, controllers, signal), startIn(stack, scheduler, signal)])
}

function adminOf(api: Api): Client {
  return api.server.clientFor({ name: 'system:apiserver', groups: ['system:masters'] }, 'flotilla')
}

/** The cluster's DNS, which every node's agent serves itself: the Service has an address and no endpoints. */
async function ensureDnsService(api: Api): Promise<void> {
  const client = adminOf(api)
  const port = (name: string, protocol: 'UDP' | 'TCP') => ({ name, protocol, port: 53, targetPort: 53 })
  await client
    .create(serviceKind, {
      metadata: {
        namespace: 'kube-system',
        name: 'kube-dns',
        labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'KubeDNS' },
      },
      spec: { clusterIP: DNS_VIP, ports: [port('dns', 'UDP'), port('dns-tcp', 'TCP')] },
    })
    .catch((error: unknown) => {
      if (!hasReason(error, 'AlreadyExists')) throw error
    })
}
