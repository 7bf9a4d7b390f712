/** Revisions of a template, kept as ControllerRevisions for `kubectl rollout history` and `undo`. Source: kubernetes `controller/history`. */
import { controllerRevision } from '../../api/apps/v1/controller-revision.ts'
import type { ControllerRevision } from '../../api/apps/v1/types.gen.ts'
import type { PodTemplateSpec } from '../../api/core/v1/types.gen.ts'
import type { AnyKind } from '../../api/kind.ts'
import type { Draft, KubeObject } from '../../api/meta/v1/object.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import type { Client } from '../../client/client.ts'
import { templateHash } from '../../machinery/hash.ts'
import { controllerReference, isControlledBy } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'

export const REVISION_LABEL = 'controller-revision-hash'

export interface Owner {
  readonly object: KubeObject
  readonly kind: AnyKind
  readonly template: PodTemplateSpec
  readonly collisionCount: number | undefined
}

export interface History {
  /** Of the present template. */
  readonly current: ControllerRevision
  /** Oldest first. */
  readonly old: readonly ControllerRevision[]
}

/** The name is another template's: the owner must count one more collision and try again. */
export class HashCollision extends Error {
  override readonly name = 'HashCollision'
}

/** A strategic merge patch that brings the owner back to this template: what kubectl applies to undo. */
export function revisionData(template: PodTemplateSpec): Record<string, unknown> {
  return { spec: { template: { ...template, $patch: 'replace' } } }
}

export function hashOf({ metadata }: ControllerRevision): string {
  return metadata.labels?.[REVISION_LABEL] ?? metadata.name
}

/** Finds or makes the revision of the present template, and sees to it that its number is the greatest. Throws `HashCollision`. */
export async function syncHistory(client: Client, owner: Owner, revisions: readonly ControllerRevision[]): Promise<History> {
  const data = revisionData(owner.template)
  const sorted = [...revisions].sort((a, b) => a.revision - b.revision)
  const found = sorted.findLast((revision) => semanticEqual(revision.data, data))
  const old = sorted.filter((revision) => revision !== found)
  const number = Math.max(0, ...old.map(({ revision }) => revision)) + 1
  if (!found) return { current: await snapshot(client, owner, data, number), old }
  if (found.revision >= number) return { current: found, old }
  return { current: await client.update(controllerRevision, { ...found, revision: number }), old }
}

async function snapshot(
  client: Client,
  { object, kind, template, collisionCount }: Owner,
  data: Record<string, unknown>,
  revision: number,
) {
  const hash = templateHash(template, collisionCount)
  const { name, namespace, annotations } = object.metadata
  const draft: Draft<ControllerRevision> = {
    metadata: {
      name: `${name}-${hash}`,
      ...(namespace ? { namespace } : {}),
      labels: { ...template.metadata.labels, [REVISION_LABEL]: hash },
      ...(annotations ? { annotations } : {}),
      ownerReferences: [controllerReference(object, kind)],
    },
    data,
    revision,
  }
  try {
    return await client.create(controllerRevision, draft)
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) throw error
    const taken = await client.get(controllerRevision, { name: `${name}-${hash}`, namespace })
    if (isControlledBy(taken, object) && semanticEqual(taken.data, data)) return taken
    throw new HashCollision(`the revision ${taken.metadata.name} is of another template`)
  }
}

/** Deletes the oldest beyond `limit`, but none that pods still have. */
export async function cleanUpRevisions(
  client: Client,
  old: readonly ControllerRevision[],
  limit: number,
  live: ReadonlySet<string>,
): Promise<void> {
  let surplus = old.length - limit
  for (const revision of old) {
    if (surplus <= 0) return
    if (live.has(hashOf(revision))) continue
    const { metadata } = revision
    try {
      await client.delete(controllerRevision, metadata, { preconditions: { uid: metadata.uid } })
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error
    }
    surplus--
  }
}
