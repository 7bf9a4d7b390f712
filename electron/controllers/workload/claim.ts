/**
 * Whose an object is: what a selector selects and nobody controls is adopted, what is controlled and no longer selected is let go.
 * Source: kubernetes `pkg/controller/controller_ref_manager.go`.
 */
import type { AnyKind, Kind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { Client } from '../../client/client.ts'
import { controllerOf, controllerReference, isBeingDeleted } from '../../machinery/object.ts'
import type { LabelSelector } from '../../machinery/selector/label-selector.ts'
import { failure, hasReason } from '../../machinery/status.ts'

export interface Claims<T extends KubeObject> {
  readonly client: Client
  readonly kind: Kind<T>
  readonly owner: KubeObject
  readonly ownerKind: AnyKind
  readonly selector: LabelSelector
  /** Whether a selected object may become the owner's. Default: yes. */
  readonly accepts?: (object: T) => boolean
  /** Put on what is adopted and taken off what is let go. */
  readonly finalizer?: string
}

/** Those of `candidates` that are the owner's, once adoptions and releases are done. Throws the first failure after all were tried. */
export async function claim<T extends KubeObject>(candidates: readonly T[], claims: Claims<T>): Promise<T[]> {
  const { owner, selector, accepts = () => true } = claims
  const mine: T[] = []
  const failures: unknown[] = []
  const attempt = async (task: () => Promise<boolean>): Promise<boolean> => {
    try {
      return await task()
    } catch (error) {
      failures.push(error)
      return false
    }
  }
  let checked: Promise<void> | undefined
  for (const object of candidates) {
    const controller = controllerOf(object)
    if (controller && controller.uid !== owner.metadata.uid) continue
    const wanted = selector.matches(object.metadata.labels) && accepts(object)
    if (controller && wanted) mine.push(object)
    else if (isBeingDeleted(owner)) continue
    else if (controller) await attempt(() => release(object, claims))
    else if (wanted && !isBeingDeleted(object)) {
      const adopted = await attempt(async () => {
        await (checked ??= mayAdopt(claims))
        return adopt(object, claims)
      })
      if (adopted) mine.push(object)
    }
  }
  if (failures.length > 0) throw failures[0]
  return mine
}

/** The cache may not know yet that the owner is going or gone: what it would adopt then would be deleted with it. */
async function mayAdopt<T extends KubeObject>({ client, owner, ownerKind }: Claims<T>): Promise<void> {
  const { name, namespace, uid } = owner.metadata
  const live = await client.get(ownerKind, { name, namespace })
  if (live.metadata.uid !== uid || isBeingDeleted(live)) {
    throw failure(409, 'Conflict', `${ownerKind.kind} ${name} is another one by now or is being deleted; it adopts nothing`)
  }
}

async function adopt<T extends KubeObject>(object: T, { client, kind, owner, ownerKind, finalizer }: Claims<T>): Promise<boolean> {
  const { uid } = object.metadata
  const finalizers = finalizer === undefined ? {} : { finalizers: [finalizer] }
  const body = { metadata: { uid, ownerReferences: [controllerReference(owner, ownerKind)], ...finalizers } }
  return patched(client, kind, object, body)
}

async function release<T extends KubeObject>(object: T, { client, kind, owner, finalizer }: Claims<T>): Promise<boolean> {
  const { uid } = object.metadata
  const finalizers = finalizer === undefined ? {} : { '$deleteFromPrimitiveList/finalizers': [finalizer] }
  const ownerReferences = [{ $patch: 'delete', uid: owner.metadata.uid }]
  await patched(client, kind, object, { metadata: { uid, ownerReferences, ...finalizers } })
  return false
}

/** What is gone, another one of the name, or in someone else's hands by now is none of ours: false. */
async function patched<T extends KubeObject>(client: Client, kind: Kind<T>, { metadata }: T, body: unknown): Promise<boolean> {
  try {
    await client.patch(kind, metadata, { type: 'strategic', body })
    return true
  } catch (error) {
    if (hasReason(error, 'NotFound', 'Conflict', 'Invalid')) return false
    throw error
  }
}
