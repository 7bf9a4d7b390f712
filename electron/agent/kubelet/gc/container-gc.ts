/** Removes ended containers and sandboxes that nobody needs any more. Source: kubernetes `kuberuntime_gc.go`. */
import type { Cri } from '../../runtime/cri.ts'
import { hasCode } from '../../runtime/runtime-error.ts'
import type { PodCache } from '../pleg/pod-cache.ts'
import type { RuntimePod } from '../pleg/runtime-pod.ts'
import { removeLogs } from './log-files.ts'

/** Of each container of a pod the newest ended one stays, for its logs and its exit code. */
export async function collectContainers({ cri, cache }: { cri: Cri; cache: PodCache }): Promise<void> {
  for (const pod of cache.list()) {
    const { containers, sandboxes } = useless(pod)
    for (const { id, logPath } of containers) {
      await ignoreMissing(() => cri.removeContainer(id))
      if (logPath) await removeLogs(logPath)
    }
    for (const id of sandboxes) await ignoreMissing(() => cri.removeSandbox(id))
    if (containers.length || sandboxes.length) await cache.refresh(pod.uid)
  }
}

export function useless({ containers, sandboxes }: RuntimePod) {
  const kept = new Set<string>()
  const old = containers.filter((container) => {
    if (container.state !== 'exited' && container.state !== 'unknown') return false
    const isNewest = !kept.has(container.name)
    kept.add(container.name)
    return !isNewest
  })
  const gone = new Set(old.map(({ id }) => id))
  const inUse = new Set(containers.filter(({ id }) => !gone.has(id)).map(({ sandboxId }) => sandboxId))
  const unused = sandboxes.slice(1).filter(({ id, ready }) => !ready && !inUse.has(id))
  return { containers: old, sandboxes: unused.map(({ id }) => id) }
}

async function ignoreMissing(remove: () => Promise<void>): Promise<void> {
  try {
    await remove()
  } catch (error) {
    if (!hasCode(error, 'NotFound')) throw error
  }
}
