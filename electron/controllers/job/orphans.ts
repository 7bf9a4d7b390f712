/**
 * Pods that bear the finalizer of jobs and that no running job will count any more: they are let go. Source: kubernetes
 * `pkg/controller/job` syncOrphanPod.
 */
import { job as jobKind } from '../../api/batch/v1/job.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { OwnerReference } from '../../api/meta/v1/types.gen.ts'
import type { Client } from '../../client/client.ts'
import { controllerOf, hasFinalizer } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'
import { controllerKey } from '../runtime/watches.ts'
import { untracking } from './job-pods.ts'
import { isManagedElsewhere } from './managed-by.ts'
import { TRACKING } from './pod-facts.ts'
import { isFinished } from './finished.ts'

/** Conflicts are thrown: whoever changed the pod may have adopted it. */
export async function releaseOrphan(client: Client, pod: Pod): Promise<void> {
  if (!hasFinalizer(pod, TRACKING)) return
  const owner = controllerOf(pod)
  if (owner && (controllerKey(pod, jobKind) === null || !(await isThrough(client, pod, owner)))) return
  const { uid, resourceVersion } = pod.metadata
  try {
    await client.patch(podKind, pod.metadata, { type: 'strategic', body: untracking(uid, resourceVersion) })
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error
  }
}

/** Asked of the server: that the copy here does not have the job yet would not mean that it is gone. */
async function isThrough(client: Client, { metadata }: Pod, owner: OwnerReference): Promise<boolean> {
  try {
    const job = await client.get(jobKind, { namespace: metadata.namespace, name: owner.name })
    if (job.metadata.uid !== owner.uid) return true
    return !isManagedElsewhere(job) && isFinished(job)
  } catch (error) {
    if (hasReason(error, 'NotFound')) return true
    throw error
  }
}
