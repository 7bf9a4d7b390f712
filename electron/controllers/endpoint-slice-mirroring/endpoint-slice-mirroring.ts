/**
 * Tells in EndpointSlices what people wrote into Endpoints, for services that select no pods. Source: kubernetes
 * `pkg/controller/endpointslicemirroring`.
 */
import { endpoints as endpointsKind } from '../../api/core/v1/endpoints.ts'
import { service as serviceKind } from '../../api/core/v1/service.ts'
import type { Endpoints } from '../../api/core/v1/types.gen.ts'
import { endpointSlice } from '../../api/discovery/v1/endpoint-slice.ts'
import type { EndpointSlice } from '../../api/discovery/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { Expectations } from '../../machinery/expectations.ts'
import { controllerReference, isBeingDeleted, keyOf, splitKey } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'
import { MANAGER_LABEL, SERVICE_LABEL } from '../endpoint-slice/endpoint-slice.ts'
import { packSlices, type Packing, type SliceContent } from '../endpoint-slice/pack.ts'
import { defineController, watch, type Change } from '../runtime/controller.ts'
import { itself } from '../runtime/watches.ts'
import { isNamespaceEnding } from '../workload/pod-control.ts'
import { selectsPods } from '../workload/service-pods.ts'
import { groupsOf } from './groups.ts'

const MANAGER = 'endpointslicemirroring-controller.k8s.io'
const SKIP_LABEL = 'endpointslice.kubernetes.io/skip-mirror'
const LEADER_ANNOTATION = 'control-plane.alpha.kubernetes.io/leader'
/** Of no use on slices. */
const LEFT_OUT = ['kubectl.kubernetes.io/last-applied-configuration', 'endpoints.kubernetes.io/last-change-trigger-time']
const MAX_ENDPOINTS = 1000
const BY_ENDPOINTS = 'endpoints'
const UNSEEN = 60_000

export const endpointSliceMirroringController = defineController({
  name: 'endpointslice-mirroring-controller',
  create({ client, clock, informers }) {
    const services = informers.for(serviceKind)
    const endpoints = informers.for(endpointsKind)
    const slices = informers.for(endpointSlice)
    slices.addIndex(BY_ENDPOINTS, mirrorKeys)
    const creations = new Expectations(clock)

    const endpointsChanged = (change: Change<Endpoints>) => {
      if (change.type === 'delete') creations.forget(keyOf(change.object))
      return itself(change)
    }
    const sliceChanged = ({ type, object, old }: Change<EndpointSlice>): Iterable<string> => {
      if (type === 'add') for (const key of mirrorKeys(object)) creations.creationObserved(key)
      return new Set([object, ...(old ? [old] : [])].flatMap(mirrorKeys))
    }

    return {
      watches: [watch(services, itself), watch(endpoints, endpointsChanged), watch(slices, sliceChanged)],
      async reconcile(key) {
        const { namespace, name } = splitKey(key)
        const source = endpoints.get(namespace, name)
        const service = services.get(namespace, name)
        const mirrored = source && service && !isBeingDeleted(source) && !selectsPods(service) && isMirrored(source)
        if (!creations.satisfied(key)) return { requeueAfter: UNSEEN }
        const existing = slices.byIndex(BY_ENDPOINTS, key).filter((slice) => !isBeingDeleted(slice))
        if (mirrored) await write(source, packSlices(groupsOf(source.subsets ?? [], MAX_ENDPOINTS), existing, MAX_ENDPOINTS))
        else await remove(existing)
        return undefined
      },
    }

    async function write(source: Endpoints, packing: Packing): Promise<void> {
      for (const { slice, content } of packing.kept) {
        const metadata = { ...slice.metadata, labels: labelsOf(source), annotations: annotationsOf(source) }
        const wanted = { ...slice, ...fieldsOf(content), metadata }
        if (!semanticEqual(wanted, { ...slice, metadata: { ...slice.metadata, annotations: slice.metadata.annotations ?? {} } }))
          await client.update(endpointSlice, wanted)
      }
      const key = keyOf(source)
      for (const content of packing.create) {
        creations.expectCreations(key, 1)
        try {
          await client.create(endpointSlice, draftOf(source, content))
        } catch (error) {
          creations.creationObserved(key)
          if (!isNamespaceEnding(error)) throw error
        }
      }
      await remove(packing.delete)
    }

    async function remove(all: readonly EndpointSlice[]): Promise<void> {
      for (const { metadata } of all) {
        try {
          await client.delete(endpointSlice, metadata, { preconditions: { uid: metadata.uid } })
        } catch (error) {
          if (!hasReason(error, 'NotFound', 'Conflict')) throw error
        }
      }
    }
  },
})

/** Not those that say so, and not those that are a lock. */
function isMirrored({ metadata: { labels, annotations } }: Endpoints): boolean {
  return labels?.[SKIP_LABEL] !== 'true' && annotations?.[LEADER_ANNOTATION] === undefined
}

function mirrorKeys({ metadata }: EndpointSlice): string[] {
  const name = metadata.labels?.[SERVICE_LABEL]
  return name && metadata.labels?.[MANAGER_LABEL] === MANAGER ? [keyOf({ metadata: { ...metadata, name } })] : []
}

function fieldsOf({ addressType, ports, endpoints }: SliceContent) {
  return { addressType, ports: [...ports], endpoints: [...endpoints] }
}

function draftOf(source: Endpoints, content: SliceContent): Draft<EndpointSlice> {
  const { name, namespace } = source.metadata
  return {
    metadata: {
      generateName: `${name}-`,
      ...(namespace ? { namespace } : {}),
      labels: labelsOf(source),
      annotations: annotationsOf(source),
      ownerReferences: [controllerReference(source, endpointsKind)],
    },
    ...fieldsOf(content),
  }
}

function labelsOf({ metadata: { name, labels } }: Endpoints): Record<string, string> {
  return { ...labels, [SERVICE_LABEL]: name, [MANAGER_LABEL]: MANAGER }
}

function annotationsOf({ metadata: { annotations = {} } }: Endpoints): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).filter(([name]) => !LEFT_OUT.includes(name)))
}
