/** From figures to a number of replicas. Source: kubernetes `podautoscaler/replica_calculator.go`. */
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { toMilli } from '../../api/values/quantity.ts'
import type { PodGroups } from './pod-groups.ts'

/** How far from the target nothing is done, as shares of it. */
export interface Tolerances {
  readonly up: number
  readonly down: number
}

export interface Figures {
  readonly replicas: number
  /** In thousandths, for each pod. */
  readonly average: number
  /** Percent of what is requested. */
  readonly utilization?: number
}

const NO_FIGURES = 'did not receive metrics for targeted pods (pods might be unready)'

/** `target` is a percentage of requests, which are in thousandths by the pod's name. */
export function byUtilization(
  current: number,
  target: number,
  groups: PodGroups,
  requests: ReadonlyMap<string, number>,
  tolerances: Tolerances,
): Figures {
  const utilizationOf = (values: ReadonlyMap<string, number>) => {
    let [used, requested] = [0, 0]
    for (const [name, value] of values) {
      const request = requests.get(name)
      if (request === undefined) continue
      used += value
      requested += request
    }
    if (requested === 0) throw new Error('no metrics returned matched known pods')
    return Math.floor((used * 100) / requested)
  }
  const values = plain(groups)
  if (values.size === 0) throw new Error(NO_FIGURES)
  const utilization = utilizationOf(values)
  const average = Math.floor([...values.values()].reduce((a, b) => a + b, 0) / values.size)
  const full = (name: string) => (Math.max(100, target) * (requests.get(name) ?? 0)) / 100
  const replicas = weigh(current, utilization / target, groups, values, full, (all) => utilizationOf(all) / target, tolerances)
  return { replicas, average, utilization }
}

/** `target` is for each pod, in thousandths. */
export function byAverage(current: number, target: number, groups: PodGroups, tolerances: Tolerances): Figures {
  const values = plain(groups)
  if (values.size === 0) throw new Error(NO_FIGURES)
  const averageOf = (all: ReadonlyMap<string, number>) => Math.floor([...all.values()].reduce((a, b) => a + b, 0) / all.size)
  const average = averageOf(values)
  const replicas = weigh(
    current,
    average / target,
    groups,
    values,
    () => target,
    (all) => averageOf(all) / target,
    tolerances,
  )
  return { replicas, average }
}

/** One figure for all pods, against one target; `ready` pods carry it now. */
export function byValue(current: number, ready: number, usage: number, target: number, tolerances: Tolerances): number {
  const ratio = usage / target
  if (isTolerable(ratio, tolerances)) return current
  return current === 0 ? Math.ceil(ratio) : Math.ceil(ratio * ready)
}

/** One figure that all pods share, against a target for each. */
export function byShare(current: number, usage: number, target: number, tolerances: Tolerances): Figures {
  const replicas = current > 0 && isTolerable(usage / (target * current), tolerances) ? current : Math.ceil(usage / target)
  return { replicas, average: current > 0 ? Math.ceil(usage / current) : 0 }
}

/** Of the pod's containers, or of one, in thousandths. Throws Error where one says nothing. */
export function requestOf({ spec, metadata }: Pod, resource: string, container?: string): number {
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  const counted = [...spec.containers, ...sidecars].filter(({ name }) => container === undefined || name === container)
  return counted.reduce((sum, { name, resources }) => {
    const request = resources.requests?.[resource]
    if (request === undefined) throw new Error(`missing request for ${resource} in container ${name} of Pod ${metadata.name}`)
    return sum + toMilli(request)
  }, 0)
}

/** Pods without figures are taken for what changes least. */
function weigh(
  current: number,
  ratio: number,
  { ready, unready, missing }: PodGroups,
  values: Map<string, number>,
  full: (name: string) => number,
  ratioOf: (values: ReadonlyMap<string, number>) => number,
  tolerances: Tolerances,
): number {
  const withUnready = unready.length > 0 && ratio > 1
  if (!withUnready && missing.length === 0) return isTolerable(ratio, tolerances) ? current : Math.ceil(ratio * ready)
  if (ratio < 1) for (const name of missing) values.set(name, full(name))
  else for (const name of missing) values.set(name, 0)
  if (withUnready) for (const name of unready) values.set(name, 0)
  const weighed = ratioOf(values)
  if (isTolerable(weighed, tolerances) || (ratio < 1 && weighed > 1) || (ratio > 1 && weighed < 1)) return current
  const replicas = Math.ceil(weighed * values.size)
  return (weighed < 1 && replicas > current) || (weighed > 1 && replicas < current) ? current : replicas
}

function isTolerable(ratio: number, { up, down }: Tolerances): boolean {
  return 1 - down <= ratio && ratio <= 1 + up
}

function plain({ values }: PodGroups): Map<string, number> {
  return new Map([...values].map(([name, { value }]) => [name, value]))
}
