/** What the garbage collector does to objects. Each write names the object that was meant, so that none of the same name is hit. */
import type { AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { OwnerReference } from '../../api/meta/v1/types.gen.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import type { Client } from '../../client/client.ts'
import { hasFinalizer, isOwnedBy, withoutFinalizer } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'
import { FOREGROUND, ORPHAN, type Vertex } from './owner-graph.ts'

export type Propagation = 'Background' | 'Foreground' | 'Orphan'

/** Null if it is gone, or another one of the name. */
export async function readLive(client: Client, { kind, name, namespace, uid }: Vertex): Promise<KubeObject | null> {
  try {
    const live = await client.get(kind, { name, namespace })
    return live.metadata.uid === uid ? live : null
  } catch (error) {
    if (hasReason(error, 'NotFound')) return null
    throw error
  }
}

/** How whoever asked for its deletion before wants its dependents to be treated. */
export function propagationOf(live: KubeObject): Propagation {
  return hasFinalizer(live, ORPHAN) ? 'Orphan' : hasFinalizer(live, FOREGROUND) ? 'Foreground' : 'Background'
}

/** As long as its owners are those that were judged; a change of anything else does not save it. Throws `Conflict` otherwise. */
export async function deleteJudged(client: Client, vertex: Vertex, judged: KubeObject, policy: Propagation): Promise<void> {
  const { uid, resourceVersion, ownerReferences } = judged.metadata
  try {
    await remove(client, vertex, policy, { uid, resourceVersion })
  } catch (error) {
    if (!hasReason(error, 'Conflict')) throw error
    const live = await readLive(client, vertex)
    if (!live) return
    if (!semanticEqual(live.metadata.ownerReferences, ownerReferences)) throw error
    await remove(client, vertex, policy, { uid })
  }
}

async function remove(
  client: Client,
  { kind, name, namespace }: Vertex,
  propagationPolicy: Propagation,
  preconditions: { uid: string; resourceVersion?: string },
): Promise<void> {
  try {
    await client.delete(kind, { name, namespace }, { propagationPolicy, preconditions })
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error
  }
}

export async function setOwners(
  client: Client,
  vertex: Vertex,
  live: KubeObject,
  ownerReferences: readonly OwnerReference[],
): Promise<KubeObject | null> {
  return patchMetadata(client, vertex.kind, live, { ownerReferences })
}

export async function dropFinalizer(client: Client, vertex: Vertex, live: KubeObject, finalizer: string): Promise<void> {
  if (hasFinalizer(live, finalizer)) await patchMetadata(client, vertex.kind, live, { finalizers: withoutFinalizer(live, finalizer) })
}

/** The object no longer names the owner, whose end it shall outlive. */
export async function disown(client: Client, dependent: Vertex, owner: KubeObject): Promise<void> {
  const live = await readLive(client, dependent)
  if (!live || !isOwnedBy(live, owner)) return
  const kept = live.metadata.ownerReferences?.filter(({ uid }) => uid !== owner.metadata.uid) ?? []
  await setOwners(client, dependent, live, kept)
}

/** Null if it is gone by now. */
async function patchMetadata(client: Client, kind: AnyKind, live: KubeObject, change: Record<string, unknown>): Promise<KubeObject | null> {
  const { uid, resourceVersion } = live.metadata
  try {
    return await client.patch(kind, live.metadata, { type: 'merge', body: { metadata: { uid, resourceVersion, ...change } } })
  } catch (error) {
    if (hasReason(error, 'NotFound')) return null
    throw error
  }
}
