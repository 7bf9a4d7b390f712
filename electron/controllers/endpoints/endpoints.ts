/**
 * Writes the Endpoints of each service with a selector, for those who do not read EndpointSlices. Source: kubernetes
 * `pkg/controller/endpoint`.
 */
import { endpoints as endpointsKind } from '../../api/core/v1/endpoints.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import { service as serviceKind } from '../../api/core/v1/service.ts'
import type { Endpoints, Service } from '../../api/core/v1/types.gen.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { isAbort } from '../../base/async.ts'
import { messageOf } from '../../base/errors.ts'
import { isBeingDeleted, keyOf, splitKey } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'
import { defineController, watch } from '../runtime/controller.ts'
import { itself } from '../runtime/watches.ts'
import { Pace } from '../workload/pace.ts'
import { isNamespaceEnding } from '../workload/pod-control.ts'
import { HEADLESS_LABEL, indexForServices, isHeadless, podsBehind, selectsPods, servicesOf } from '../workload/service-pods.ts'
import { subsetsOf } from './subsets.ts'

const MANAGER_LABEL = 'endpoints.kubernetes.io/managed-by'
const MANAGER = 'endpoint-controller'
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity'

export const endpointsController = defineController({
  name: 'endpoints-controller',
  component: 'endpoint-controller',
  create({ client, clock, informers, events }) {
    const services = informers.for(serviceKind)
    const pods = informers.for(podKind)
    const all = informers.for(endpointsKind)
    indexForServices(services, pods)
    const pace = new Pace(clock)

    return {
      watches: [watch(services, itself), watch(pods, servicesOf(services)), watch(all, itself)],
      async reconcile(key) {
        const { namespace, name } = splitKey(key)
        const service = services.get(namespace, name)
        const present = all.get(namespace, name)
        if (!service) {
          pace.forget(key)
          return present && isOurs(present) ? remove(present) : undefined
        }
        if (isBeingDeleted(service) || !selectsPods(service)) return undefined
        const early = pace.untilDue(key)
        if (early > 0) return { requeueAfter: early }
        try {
          await write(service, present)
        } catch (error) {
          if (isNamespaceEnding(error)) return undefined
          if (!isAbort(error) && !hasReason(error, 'Conflict', 'NotFound', 'AlreadyExists')) {
            const reason = present ? 'FailedToUpdateEndpoint' : 'FailedToCreateEndpoint'
            events.event(service, 'Warning', reason, `Failed to write endpoints ${key}: ${messageOf(error)}`)
          }
          throw error
        }
        return undefined
      },
    }

    async function write(service: Service, present: Endpoints | undefined): Promise<void> {
      const behind = podsBehind(service, pods)
      pace.began(keyOf(service), behind.length)
      const { subsets, truncated } = subsetsOf(service, behind)
      const { [OVER_CAPACITY]: _over, ...annotations } = present?.metadata.annotations ?? {}
      const metadata = {
        labels: labelsFor(service),
        annotations: { ...annotations, ...(truncated ? { [OVER_CAPACITY]: 'truncated' } : {}) },
      }
      if (!present) {
        const { name, namespace } = service.metadata
        await client.create(endpointsKind, { metadata: { name, ...(namespace ? { namespace } : {}), ...metadata }, subsets: [...subsets] })
        return
      }
      const before = { labels: present.metadata.labels ?? {}, annotations: present.metadata.annotations ?? {} }
      if (semanticEqual(metadata, before) && semanticEqual(subsets, present.subsets)) return
      await client.update(endpointsKind, { ...present, metadata: { ...present.metadata, ...metadata }, subsets: [...subsets] })
    }

    /** It has no owner that would take it along. */
    async function remove({ metadata }: Endpoints): Promise<undefined> {
      try {
        await client.delete(endpointsKind, metadata, { preconditions: { uid: metadata.uid } })
      } catch (error) {
        if (!hasReason(error, 'NotFound', 'Conflict')) throw error
      }
    }
  },
})

function isOurs({ metadata }: Endpoints): boolean {
  return metadata.labels?.[MANAGER_LABEL] === MANAGER
}

function labelsFor(service: Service): Record<string, string> {
  const { [HEADLESS_LABEL]: _headless, ...labels } = service.metadata.labels ?? {}
  return { ...labels, ...(isHeadless(service) ? { [HEADLESS_LABEL]: '' } : {}), [MANAGER_LABEL]: MANAGER }
}
