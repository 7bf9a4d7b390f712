/** Creates and deletes pods for their owners, and tells so in events. Source: kubernetes `pkg/controller.RealPodControl`. */
import type { Pod, PodTemplateSpec } from '../../api/core/v1/types.gen.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { AnyKind } from '../../api/kind.ts'
import type { Draft, KubeObject } from '../../api/meta/v1/object.ts'
import { isAbort } from '../../base/async.ts'
import { messageOf } from '../../base/errors.ts'
import { controllerReference } from '../../machinery/object.ts'
import { hasReason, StatusError } from '../../machinery/status.ts'
import type { ControllerContext } from '../runtime/controller.ts'

/** A pod as the template describes it, controlled by the owner and with a name that the server completes. */
export function podFromTemplate(template: Draft<PodTemplateSpec>, owner: KubeObject, ownerKind: AnyKind): Draft<Pod> {
  const { labels, annotations, finalizers } = template.metadata ?? {}
  const { name, namespace } = owner.metadata
  return {
    metadata: {
      generateName: `${name}-`,
      ...(namespace ? { namespace } : {}),
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      ...(finalizers ? { finalizers } : {}),
      ownerReferences: [controllerReference(owner, ownerKind)],
    },
    spec: template.spec ?? {},
  }
}

export interface PodControl {
  /** Throws what the server refused; an event says so, unless the namespace is ending. */
  create(owner: KubeObject, pod: Draft<Pod>): Promise<Pod>
  /** False if it was gone already. Throws what the server refused; an event says so. */
  delete(owner: KubeObject, pod: Pod): Promise<boolean>
}

export function createPodControl({ client, events }: Pick<ControllerContext, 'client' | 'events'>): PodControl {
  return {
    async create(owner, draft) {
      try {
        const created = await client.create(podKind, draft)
        events.event(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`)
        return created
      } catch (error) {
        if (!isAbort(error) && !isNamespaceEnding(error)) {
          events.event(owner, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`)
        }
        throw error
      }
    },
    async delete(owner, { metadata }) {
      try {
        await client.delete(podKind, metadata, { preconditions: { uid: metadata.uid } })
      } catch (error) {
        if (hasReason(error, 'NotFound', 'Conflict')) return false
        if (!isAbort(error)) events.event(owner, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`)
        throw error
      }
      events.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${metadata.name}`)
      return true
    },
  }
}

/** Nothing can be created there any more, and what owns the pods is about to go as well. */
export function isNamespaceEnding(error: unknown): boolean {
  return error instanceof StatusError && (error.status.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') ?? false)
}
