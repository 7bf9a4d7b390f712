/** Creates, deletes and mends the pods of a StatefulSet, and tells so. Source: kubernetes `pkg/controller/statefulset/stateful_pod_control.go`. */
import type { StatefulSet } from '../../api/apps/v1/types.gen.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { isAbort } from '../../base/async.ts'
import { messageOf } from '../../base/errors.ts'
import { keyOf } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'
import type { ControllerContext } from '../runtime/controller.ts'
import { isNamespaceEnding } from '../workload/pod-control.ts'
import { identityLabels, ordinalOf } from './identity.ts'

export interface SetPods {
  /** Throws what the server refused. */
  create(set: StatefulSet, pod: Draft<Pod>): Promise<void>
  /** False if it was gone already. Throws what the server refused. */
  delete(set: StatefulSet, pod: Pod): Promise<boolean>
  /** Says that a pod that ended by itself is made again. */
  tellEnded(set: StatefulSet, pod: Pod): void
  /** Gives it the labels of its identity again. */
  repair(set: StatefulSet, pod: Pod): Promise<void>
}

export function createSetPods({ client, events }: Pick<ControllerContext, 'client' | 'events'>): SetPods {
  const told = async <T>(set: StatefulSet, verb: 'create' | 'delete' | 'update', name: string, act: () => Promise<T>): Promise<T> => {
    const reason = { create: 'Create', delete: 'Delete', update: 'Update' }[verb]
    const what = `${verb} Pod ${name} in StatefulSet ${set.metadata.name}`
    try {
      const result = await act()
      events.event(set, 'Normal', `Successful${reason}`, `${what} successful`)
      return result
    } catch (error) {
      const expected = isAbort(error) || isNamespaceEnding(error) || hasReason(error, 'AlreadyExists', 'NotFound', 'Conflict')
      if (!expected) events.event(set, 'Warning', `Failed${reason}`, `${what} failed error: ${messageOf(error)}`)
      throw error
    }
  }

  return {
    async create(set, draft) {
      await told(set, 'create', draft.metadata?.name ?? '', () => client.create(podKind, draft))
    },
    async delete(set, { metadata }) {
      try {
        await told(set, 'delete', metadata.name, () => client.delete(podKind, metadata, { preconditions: { uid: metadata.uid } }))
        return true
      } catch (error) {
        if (hasReason(error, 'NotFound', 'Conflict')) return false
        throw error
      }
    },
    tellEnded(set, { metadata, status }) {
      const failed = status.phase === 'Failed'
      const text = `StatefulSet ${keyOf(set)} is recreating ${failed ? 'failed' : 'terminated'} Pod ${metadata.name}`
      if (failed) events.event(set, 'Warning', 'RecreatingFailedPod', text)
      else events.event(set, 'Normal', 'RecreatingTerminatedPod', text)
    },
    async repair(set, pod) {
      const { uid, name } = pod.metadata
      const labels = identityLabels(set, ordinalOf(set, pod) ?? 0)
      await told(set, 'update', name, () => client.patch(podKind, pod.metadata, { type: 'merge', body: { metadata: { uid, labels } } }))
    },
  }
}
