import { replicaSet as replicaSetKind } from '../../api/apps/v1/replica-set.ts'
import type { ReplicaSet } from '../../api/apps/v1/types.gen.ts'
import { isBeingDeleted } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'
import { revisionOf } from './annotations.ts'
import { historyLimit } from './fenceposts.ts'
import { compareAge } from './new-set.ts'
import { isSettled, reportedPods, sizeOf } from './scale.ts'
import type { DeploymentSync } from './sync.ts'

/** Deletes the oldest revisions beyond `revisionHistoryLimit`; what still has pods or was changed just now stays for the time being. */
export async function cleanUpHistory(sync: DeploymentSync, old: readonly ReplicaSet[]): Promise<void> {
  const limit = historyLimit(sync.deployment)
  if (limit === null) return
  const kept = old.filter((set) => !isBeingDeleted(set)).sort((a, b) => revisionOf(a) - revisionOf(b) || compareAge(a, b))
  for (const set of kept.slice(0, Math.max(0, kept.length - limit))) {
    const { metadata } = set
    if (!isSettled(set) || reportedPods(set) !== 0 || sizeOf(set) !== 0) continue
    const preconditions = { uid: metadata.uid, resourceVersion: metadata.resourceVersion }
    try {
      await sync.context.client.delete(replicaSetKind, metadata, { preconditions })
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error
    }
  }
}
