/**
 * Empties namespaces that are to go and then lets them: first the pods, and only when those have ended what they may still need.
 * Source: kubernetes `pkg/controller/namespace`, KEP-5080.
 */
import { namespace as namespaceKind } from '../../api/core/v1/namespace.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Namespace, NamespaceStatus, Pod } from '../../api/core/v1/types.gen.ts'
import type { AnyKind } from '../../api/kind.ts'
import { mapLimit } from '../../base/async.ts'
import { isBeingDeleted } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'
import { defineController, watch, type Change } from '../runtime/controller.ts'
import { deletionConditions, type Progress } from './conditions.ts'
import { deleteContent, type Remainder } from './content.ts'
import { discover, type Discovered } from './discovery.ts'

const FINALIZER = 'kubernetes'
/** Creations that were let in just before the namespace was marked are through by then, also at another API server. */
const LATECOMERS = 1500
/** So many resources of one namespace are emptied at a time. */
const RESOURCES_AT_ONCE = 4

export const namespaceController = defineController({
  name: 'namespace-controller',
  workers: 10,
  create({ client, clock, informers }) {
    const namespaces = informers.for(namespaceKind)
    const pods = informers.for(podKind)

    /** With the last pod the wait is over, however long it was to be. */
    const podChanged = ({ type, object: { metadata } }: Change<Pod>): string[] => {
      const { namespace = '' } = metadata
      if (type !== 'delete' || pods.list(namespace).length > 0) return []
      const left = namespaces.get(undefined, namespace)
      return left && isEnding(left) ? [namespace] : []
    }

    return {
      watches: [
        watch(namespaces, ({ type, object }) => (type !== 'delete' && isEnding(object) ? [object.metadata.name] : [])),
        watch(pods, podChanged),
      ],
      async reconcile(name) {
        const known = namespaces.get(undefined, name)
        if (!known || !isEnding(known)) return undefined
        const early = Date.parse(known.metadata.deletionTimestamp ?? '') + LATECOMERS - clock.now()
        if (early > 0) return { requeueAfter: early }
        const live = await current(name)
        if (!live || !isEnding(live)) return undefined
        const progress = await empty(name)
        const reported = await report(live, progress)
        const [fault] = [...progress.undiscovered.values(), ...progress.failed.values()]
        if (fault !== undefined) throw fault
        if (progress.remaining.length > 0) return { requeueAfter: pause(progress.remaining) }
        await finalize(reported)
        return undefined
      },
    }

    async function current(name: string): Promise<Namespace | null> {
      try {
        return await client.get(namespaceKind, { name })
      } catch (error) {
        if (hasReason(error, 'NotFound')) return null
        throw error
      }
    }

    /** What could not be discovered or deleted does not keep the rest. */
    async function empty(namespace: string): Promise<Progress> {
      const failed = new Map<AnyKind, unknown>()
      const remaining: Remainder[] = []
      const deleteAll = async (kind: AnyKind) => {
        try {
          const rest = await deleteContent(client, kind, namespace, clock.now())
          if (rest.count > 0) remaining.push(rest)
        } catch (error) {
          failed.set(kind, error)
        }
      }
      await deleteAll(podKind)
      if (remaining.length > 0 || failed.size > 0) return { undiscovered: new Map(), failed, remaining }
      const { kinds, failures } = await discovered()
      await mapLimit(kinds.filter(isContent), RESOURCES_AT_ONCE, deleteAll)
      return { undiscovered: failures, failed, remaining }
    }

    async function discovered(): Promise<Discovered> {
      try {
        return await discover(client)
      } catch (error) {
        return { kinds: [], failures: new Map([['', error]]) }
      }
    }

    async function report(live: Namespace, progress: Progress): Promise<Namespace> {
      const conditions = deletionConditions(live.status.conditions, progress, clock.now())
      if (conditions === live.status.conditions && live.status.phase === 'Terminating') return live
      const status: NamespaceStatus = { ...live.status, phase: 'Terminating', conditions: [...conditions] }
      return client.update(namespaceKind, { ...live, status }, { subresource: 'status' })
    }

    async function finalize(ended: Namespace): Promise<void> {
      const finalizers = (ended.spec.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER)
      await client.update(namespaceKind, { ...ended, spec: { ...ended.spec, finalizers } }, { subresource: 'finalize' })
    }
  },
})

/** It is to go, and waits for this controller. */
function isEnding(namespace: Namespace): boolean {
  return isBeingDeleted(namespace) && (namespace.spec.finalizers?.includes(FINALIZER) ?? false)
}

/** Pods went before. */
function isContent({ namespaced, verbs, group, resource }: AnyKind): boolean {
  const deletable = verbs.includes('delete') || verbs.includes('deletecollection')
  return namespaced && deletable && !(group === podKind.group && resource === podKind.resource)
}

/** Half of what is expected, so that it is seen not much too late. */
function pause(remaining: readonly Remainder[]): number {
  return Math.max(...remaining.map(({ wait }) => wait)) / 2 + 1000
}
