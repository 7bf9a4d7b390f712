/** Tells in EndpointSlices which pods stand behind each service with a selector. Source: kubernetes `pkg/controller/endpointslice`. */
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import { service as serviceKind } from '../../api/core/v1/service.ts'
import type { Node, Service } from '../../api/core/v1/types.gen.ts'
import { endpointSlice } from '../../api/discovery/v1/endpoint-slice.ts'
import type { EndpointSlice } from '../../api/discovery/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { isAbort } from '../../base/async.ts'
import { messageOf } from '../../base/errors.ts'
import { Expectations } from '../../machinery/expectations.ts'
import { controllerReference, isBeingDeleted, isOwnedBy, keyOf, splitKey } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'
import { defineController, watch, type Change } from '../runtime/controller.ts'
import { itself } from '../runtime/watches.ts'
import { indexByNode, podsOn } from '../workload/indices.ts'
import { Pace } from '../workload/pace.ts'
import { isNamespaceEnding } from '../workload/pod-control.ts'
import {
  HEADLESS_LABEL,
  indexForServices,
  isHeadless,
  podsBehind,
  selectsPods,
  servicesFor,
  servicesOf,
  zoneOf,
} from '../workload/service-pods.ts'
import { endpointGroups } from './endpoints-of.ts'
import { packSlices, type Packing, type SliceContent } from './pack.ts'

export const SERVICE_LABEL = 'kubernetes.io/service-name'
export const MANAGER_LABEL = 'endpointslice.kubernetes.io/managed-by'
export const MANAGER = 'endpointslice-controller.k8s.io'

const MAX_ENDPOINTS = 100
const OWN_LABELS = [SERVICE_LABEL, MANAGER_LABEL, HEADLESS_LABEL]
const BY_SERVICE = 'service'
/** Slices that were made and are not seen so long are looked for again. */
const UNSEEN = 60_000

export const endpointSliceController = defineController({
  name: 'endpointslice-controller',
  component: 'endpoint-slice-controller',
  create({ client, clock, informers, events }) {
    const services = informers.for(serviceKind)
    const pods = informers.for(podKind)
    const nodes = informers.for(nodeKind)
    const slices = informers.for(endpointSlice)
    indexByNode(pods)
    indexForServices(services, pods)
    slices.addIndex(BY_SERVICE, serviceKeys)
    const creations = new Expectations(clock)
    const pace = new Pace(clock)

    const serviceChanged = (change: Change<Service>) => {
      if (change.type === 'delete') {
        creations.forget(keyOf(change.object))
        pace.forget(keyOf(change.object))
      }
      return itself(change)
    }
    const sliceChanged = ({ type, object, old }: Change<EndpointSlice>): Iterable<string> => {
      if (type === 'add') for (const key of serviceKeys(object)) creations.creationObserved(key)
      return new Set([object, ...(old ? [old] : [])].flatMap(serviceKeys))
    }
    /** Only whether it is there and where it stands is told of a node. */
    const nodeChanged = ({ object, old }: Change<Node>): Iterable<string> => {
      if (old && zoneOf(old) === zoneOf(object)) return []
      return new Set(podsOn(pods, object.metadata.name).flatMap((pod) => servicesFor(pod, services).map(keyOf)))
    }

    return {
      watches: [watch(services, serviceChanged), watch(pods, servicesOf(services)), watch(nodes, nodeChanged), watch(slices, sliceChanged)],
      async reconcile(key) {
        const { namespace, name } = splitKey(key)
        const service = services.get(namespace, name)
        if (!service || isBeingDeleted(service) || !selectsPods(service)) return undefined
        if (!creations.satisfied(key)) return { requeueAfter: UNSEEN }
        const early = pace.untilDue(key)
        if (early > 0) return { requeueAfter: early }
        const behind = podsBehind(service, pods)
        pace.began(key, behind.length)
        const groups = endpointGroups(service, behind, (node) => nodes.get(undefined, node))
        const existing = slices.byIndex(BY_SERVICE, key).filter((slice) => !isBeingDeleted(slice))
        try {
          await write(service, packSlices(groups, existing, MAX_ENDPOINTS))
        } catch (error) {
          if (!isAbort(error) && !hasReason(error, 'Conflict', 'NotFound')) {
            const text = `Error updating Endpoint Slices for Service ${key}: ${messageOf(error)}`
            events.event(service, 'Warning', 'FailedToUpdateEndpointSlices', text)
          }
          throw error
        }
        return undefined
      },
    }

    /** No endpoint is missing in between: what is new comes before what is old goes. */
    async function write(service: Service, packing: Packing): Promise<void> {
      const key = keyOf(service)
      for (const { slice, content } of packing.kept) {
        const wanted = { ...slice, ...fieldsOf(content), metadata: metadataOf(slice, service) }
        if (!semanticEqual(wanted, slice)) await client.update(endpointSlice, wanted)
      }
      if (packing.create.length > 0) creations.expectCreations(key, packing.create.length)
      let made = 0
      try {
        for (const content of packing.create) {
          await client.create(endpointSlice, draftOf(service, content))
          made++
        }
      } catch (error) {
        for (let i = made; i < packing.create.length; i++) creations.creationObserved(key)
        if (!isNamespaceEnding(error)) throw error
      }
      for (const { metadata } of packing.delete) {
        try {
          await client.delete(endpointSlice, metadata, { preconditions: { uid: metadata.uid } })
        } catch (error) {
          if (!hasReason(error, 'NotFound', 'Conflict')) throw error
        }
      }
    }
  },
})

/** None for slices that someone else manages. */
function serviceKeys({ metadata }: EndpointSlice): string[] {
  const name = metadata.labels?.[SERVICE_LABEL]
  if (!name || metadata.labels?.[MANAGER_LABEL] !== MANAGER) return []
  return [keyOf({ metadata: { ...metadata, name } })]
}

function fieldsOf({ addressType, ports, endpoints }: SliceContent) {
  return { addressType, ports: [...ports], endpoints: [...endpoints] }
}

function draftOf(service: Service, content: SliceContent): Draft<EndpointSlice> {
  const { name, namespace } = service.metadata
  return {
    metadata: {
      generateName: `${name}-`,
      ...(namespace ? { namespace } : {}),
      labels: labelsFor(service),
      ownerReferences: [controllerReference(service, serviceKind)],
    },
    ...fieldsOf(content),
  }
}

function metadataOf({ metadata }: EndpointSlice, service: Service): EndpointSlice['metadata'] {
  const owned = isOwnedBy({ metadata }, service)
  const ownerReferences = owned ? metadata.ownerReferences : [controllerReference(service, serviceKind)]
  return { ...metadata, labels: labelsFor(service), ...(ownerReferences ? { ownerReferences } : {}) }
}

/** The service's own, and what says what the slice is. */
function labelsFor(service: Service): Record<string, string> {
  const { name, labels = {} } = service.metadata
  return {
    ...Object.fromEntries(Object.entries(labels).filter(([key]) => !OWN_LABELS.includes(key))),
    ...(isHeadless(service) ? { [HEADLESS_LABEL]: '' } : {}),
    [SERVICE_LABEL]: name,
    [MANAGER_LABEL]: MANAGER,
  }
}
