/** Limits of what a pod may write to the node's disk. Source: kubernetes `kubelet/eviction/eviction_manager.go`. */
import type { Pod, Volume } from '../../../api/core/v1/types.gen.ts'
import { podLimits } from '../../../api/core/v1/pod-resources.ts'
import { goQuote } from '../../../api/values/field-error.ts'
import { bytesOf } from '../containers/resources.ts'

export interface LocalUsage {
  /** Bytes of a container's writable layer and logs, by container. */
  readonly containers: ReadonlyMap<string, number>
  /** Bytes of emptyDir volumes on disk, by volume. */
  readonly volumes: ReadonlyMap<string, number>
}

const STORAGE = 'ephemeral-storage'

/** Volumes whose use counts: those on disk. */
export function countedVolumes({ spec }: Pod): Volume[] {
  return (spec.volumes ?? []).filter(({ emptyDir }) => emptyDir && !emptyDir.medium)
}

/** Whether anything of the pod is limited, so that measuring is worth it. */
export function hasLocalLimits({ spec }: Pod): boolean {
  return (
    countedVolumes({ spec } as Pod).some(({ emptyDir }) => emptyDir?.sizeLimit !== undefined) ||
    spec.containers.some(({ resources }) => resources.limits?.[STORAGE] !== undefined)
  )
}

/** Which limit was exceeded, in kubelet's words; null if none was. */
export function exceededLimit(pod: Pod, usage: LocalUsage): string | null {
  for (const { name, emptyDir } of countedVolumes(pod)) {
    const limit = emptyDir?.sizeLimit
    if (limit !== undefined && (usage.volumes.get(name) ?? 0) > bytesOf(limit))
      return `Usage of EmptyDir volume ${goQuote(name)} exceeds the limit ${goQuote(limit)}. `
  }
  const total = podLimits(pod.spec)[STORAGE]
  const used = [...usage.containers.values(), ...usage.volumes.values()].reduce((a, b) => a + b, 0)
  if (
    total !== undefined &&
    pod.spec.containers.every(({ resources }) => resources.limits?.[STORAGE] !== undefined) &&
    used > bytesOf(total)
  )
    return `Pod ephemeral local storage usage exceeds the total limit of containers ${total}. `
  for (const { name, resources } of pod.spec.containers) {
    const limit = resources.limits?.[STORAGE]
    if (limit !== undefined && (usage.containers.get(name) ?? 0) > bytesOf(limit))
      return `Container ${name} exceeded its local ephemeral storage limit ${goQuote(limit)}. `
  }
  return null
}
