/** Which pods' figures count. Source: kubernetes `podautoscaler/replica_calculator.go`, `groupPods`. */
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { findCondition } from '../../machinery/conditions.ts'
import type { PodValues } from './metrics-source.ts'

export interface PodGroups {
  readonly ready: number
  /** Names. Those that are ending or failed are in no group. */
  readonly unready: readonly string[]
  readonly missing: readonly string[]
  /** Of pods that are ready. */
  readonly values: PodValues
}

/** Milliseconds after its start in which a pod's use of CPU says little, unless it was ready meanwhile. */
const CPU_START = 300_000
/** Who was not ready for longer than so after its start, and then is not, has not been starting. */
const FIRST_READINESS = 30_000

export function groupPods(pods: readonly Pod[], values: PodValues, resource: string, now: number): PodGroups {
  const unready: string[] = []
  const missing: string[] = []
  const counted = new Map(values)
  const known = new Set(pods.map(({ metadata }) => metadata.name))
  for (const name of values.keys()) if (!known.has(name)) counted.delete(name)
  let ready = 0
  for (const pod of pods) {
    const { name } = pod.metadata
    const value = values.get(name)
    if (pod.metadata.deletionTimestamp || pod.status.phase === 'Failed' || pod.status.phase === 'Succeeded') counted.delete(name)
    else if (pod.status.phase === 'Pending') {
      counted.delete(name)
      unready.push(name)
    } else if (!value) missing.push(name)
    else if (resource === 'cpu' && isStarting(pod, value, now)) {
      counted.delete(name)
      unready.push(name)
    } else ready++
  }
  return { ready, unready, missing, values: counted }
}

function isStarting({ status }: Pod, value: { at: number; window: number }, now: number): boolean {
  const condition = findCondition(status.conditions, 'Ready')
  if (!condition || !status.startTime) return true
  const started = Date.parse(status.startTime)
  const changed = Date.parse(condition.lastTransitionTime ?? '')
  if (started + CPU_START > now) return condition.status === 'False' || value.at < changed + value.window
  return condition.status === 'False' && started + FIRST_READINESS > changed
}
