/** Empties a namespace of one resource. Source: kubernetes `pkg/controller/namespace/deletion`. */
import { groupResource, type AnyKind } from '../../api/kind.ts'
import type { KubeList, KubeObject } from '../../api/meta/v1/object.ts'
import type { Client } from '../../client/client.ts'
import { isBeingDeleted } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'

/** What is still there after everything was asked to go. */
export interface Remainder {
  readonly kind: AnyKind
  readonly count: number
  /** How many objects each finalizer holds. */
  readonly finalizers: ReadonlyMap<string, number>
  /** Milliseconds that the rest is expected to need; 0 if nothing is left. */
  readonly wait: number
}

/** Whoever has put a finalizer is given so long to do what it stands for, and a node that is overdue so long to end a pod. */
const PATIENCE = 15_000
const PAGE = 500

/** `now` in milliseconds since the epoch. Throws if something is left that neither was marked nor is held by a finalizer. */
export async function deleteContent(client: Client, kind: AnyKind, namespace: string, now: number): Promise<Remainder> {
  if (kind.verbs.includes('deletecollection')) {
    try {
      await client.deleteCollection(kind, { namespace, delete: { propagationPolicy: 'Background' } })
    } catch (error) {
      if (!hasReason(error, 'NotFound', 'MethodNotAllowed')) throw error
    }
  } else for (const { metadata } of await listAll(client, kind, namespace)) await deleteOne(client, kind, metadata)
  return remainderOf(kind, namespace, await listAll(client, kind, namespace), now)
}

async function deleteOne(client: Client, kind: AnyKind, { name, namespace, uid }: KubeObject['metadata']): Promise<void> {
  try {
    await client.delete(kind, { name, namespace }, { propagationPolicy: 'Background', preconditions: { uid } })
  } catch (error) {
    if (!hasReason(error, 'NotFound', 'Conflict', 'MethodNotAllowed')) throw error
  }
}

/** What cannot be listed is taken to be gone. */
async function listAll(client: Client, kind: AnyKind, namespace: string): Promise<readonly KubeObject[]> {
  if (!kind.verbs.includes('list')) return []
  const items: KubeObject[] = []
  try {
    for (let next: string | undefined = ''; next !== undefined;) {
      const page: KubeList<KubeObject> = await client.list(kind, { namespace, limit: PAGE, ...(next ? { continue: next } : {}) })
      for (const item of page.items) items.push(item)
      next = page.metadata.continue || undefined
    }
  } catch (error) {
    if (!hasReason(error, 'NotFound', 'MethodNotAllowed')) throw error
  }
  return items
}

function remainderOf(kind: AnyKind, namespace: string, items: readonly KubeObject[], now: number): Remainder {
  const finalizers = new Map<string, number>()
  let wait = 0
  for (const object of items) {
    const held = object.metadata.finalizers ?? []
    for (const finalizer of held) finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1)
    if (!isBeingDeleted(object)) continue
    const left = Date.parse(object.metadata.deletionTimestamp ?? '') - now
    wait = Math.max(wait, left > 0 ? left : PATIENCE)
  }
  if (items.length > 0 && wait === 0) {
    throw new Error(`${items.length} of ${groupResource(kind)} are still in ${namespace}, and nothing holds them back`)
  }
  return { kind, count: items.length, finalizers, wait }
}
