/** Which pods a rolling update replaces now. Source: kubernetes `pkg/controller/daemon/update.go`. */
import type { DaemonSet } from '../../api/apps/v1/types.gen.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { scaledIntOrPercent } from '../../api/values/int-or-string.ts'
import { isPodAvailable } from '../workload/pod-state.ts'
import { allowsSurge, isUpdated, type PlanOptions } from './placement.ts'

export interface RollingPlan {
  readonly delete: readonly Pod[]
  /** Nodes that get a new pod beside the old one. */
  readonly create: readonly string[]
}

export type PodsByNode = ReadonlyMap<string, readonly Pod[]>

/** `pods` of the nodes on which the set should run. */
export function planRollout(pods: PodsByNode, options: PlanOptions): RollingPlan {
  return allowsSurge(options.set) ? withSurge(pods, options) : withUnavailability(pods, options)
}

function limits({ spec }: DaemonSet, nodes: number): { surge: number; unavailable: number } {
  const { maxSurge = 0, maxUnavailable = 1 } = spec.updateStrategy.rollingUpdate ?? {}
  const scaled = (value: number | string) => scaledIntOrPercent(value, nodes, 'up') ?? 0
  return { surge: scaled(maxSurge), unavailable: scaled(maxUnavailable) }
}

/** Null where there is more than one of a kind, which is put in order first. */
function pairOn(pods: readonly Pod[], hash: string): { old: Pod | undefined; fresh: Pod | undefined } | null {
  const staying = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  const fresh = staying.filter((pod) => isUpdated(pod, hash))
  const old = staying.filter((pod) => !isUpdated(pod, hash))
  return fresh.length > 1 || old.length > 1 ? null : { old: old[0], fresh: fresh[0] }
}

function withUnavailability(pods: PodsByNode, { set, hash, now }: PlanOptions): RollingPlan {
  const most = limits(set, pods.size).unavailable
  const available = (pod: Pod) => isPodAvailable(pod, set.spec.minReadySeconds ?? 0, now)
  let unavailable = 0
  const useless: Pod[] = []
  const candidates: Pod[] = []
  for (const each of pods.values()) {
    const pair = pairOn(each, hash)
    if (!pair || Boolean(pair.old) === Boolean(pair.fresh)) unavailable++
    else if (pair.fresh) unavailable += available(pair.fresh) ? 0 : 1
    else if (pair.old && !available(pair.old)) {
      unavailable++
      useless.push(pair.old)
    } else if (pair.old) candidates.push(pair.old)
  }
  return { delete: [...useless, ...candidates.slice(0, Math.max(0, most - unavailable))], create: [] }
}

function withSurge(pods: PodsByNode, { set, hash, now }: PlanOptions): RollingPlan {
  const most = limits(set, pods.size).surge
  const available = (pod: Pod) => isPodAvailable(pod, set.spec.minReadySeconds ?? 0, now)
  let surging = 0
  const replaced: Pod[] = []
  const wanting: string[] = []
  const candidates: string[] = []
  for (const [node, each] of pods) {
    const pair = pairOn(each, hash)
    if (!pair) surging++
    else if (!pair.old) continue
    else if (!pair.fresh) (available(pair.old) ? candidates : wanting).push(node)
    else if (available(pair.fresh)) replaced.push(pair.old)
    else surging++
  }
  return { delete: replaced, create: [...wanting, ...candidates.slice(0, Math.max(0, most - surging))] }
}
