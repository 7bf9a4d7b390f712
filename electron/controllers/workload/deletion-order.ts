/**
 * Which pods of a set go first when there are too many: those that are worth least. Source: kubernetes
 * `pkg/controller.ActivePodsWithRanks`; pod deletion cost is KEP-2255, the logarithmic comparison of times KEP-2185.
 */
import type { Container, ContainerStatus, Pod } from '../../api/core/v1/types.gen.ts'
import type { Time } from '../../api/meta/v1/object.ts'
import { isPodActive, isPodReady, readyCondition } from './pod-state.ts'

export const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost'

type Compare = (a: Pod, b: Pod) => number

/**
 * The first `count` to go. `related` are all pods that share the work, of other sets too: of pods that are otherwise alike, those
 * on nodes with more of them go first. `now` is in milliseconds since the epoch.
 */
export function podsToDelete(pods: readonly Pod[], related: readonly Pod[], count: number, now: number): readonly Pod[] {
  if (count >= pods.length) return pods
  const active = new Map<string, number>()
  for (const pod of related) {
    const { nodeName } = pod.spec
    if (isPodActive(pod) && nodeName) active.set(nodeName, (active.get(nodeName) ?? 0) + 1)
  }
  const crowd = (pod: Pod) => active.get(pod.spec.nodeName ?? '') ?? 0
  const order: Compare[] = [
    (a, b) => Number(Boolean(a.spec.nodeName)) - Number(Boolean(b.spec.nodeName)),
    (a, b) => phaseOrder(a) - phaseOrder(b),
    (a, b) => Number(isPodReady(a)) - Number(isPodReady(b)),
    (a, b) => deletionCost(a) - deletionCost(b),
    (a, b) => crowd(b) - crowd(a),
    (a, b) => (isPodReady(a) ? laterFirst(a, b, (pod) => readyCondition(pod)?.lastTransitionTime, now) : 0),
    (a, b) => restarts(b.status.containerStatuses) - restarts(a.status.containerStatuses),
    (a, b) => restarts(sidecars(b)) - restarts(sidecars(a)),
    (a, b) => laterFirst(a, b, ({ metadata }) => metadata.creationTimestamp, now),
    byUid,
  ]
  const compare: Compare = (a, b) => {
    for (const rule of order) {
      const result = rule(a, b)
      if (result !== 0) return result
    }
    return 0
  }
  return [...pods].sort(compare).slice(0, count)
}

const PHASES: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 }

function phaseOrder({ status }: Pod): number {
  return PHASES[status.phase ?? ''] ?? 0
}

/** 0 where it is not given or no 32-bit integer in its shortest form. */
export function deletionCost({ metadata }: Pod): number {
  const text = metadata.annotations?.[DELETION_COST]
  if (text === undefined || !/^(0|-?[1-9][0-9]*)$/.test(text)) return 0
  const cost = Number(text)
  return Math.abs(cost) < 2 ** 31 ? cost : 0
}

function restarts(statuses: readonly ContainerStatus[] | undefined): number {
  return Math.max(0, ...(statuses ?? []).map(({ restartCount }) => restartCount))
}

function sidecars({ spec, status }: Pod): readonly ContainerStatus[] {
  const restartable = new Set((spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name))
  return (status.initContainerStatuses ?? []).filter(({ name }) => restartable.has(name))
}

function isSidecar({ restartPolicy }: Container): boolean {
  return restartPolicy === 'Always'
}

/**
 * By the order of magnitude of their age, and at random (by uid) within it, so that scaling down does not always hit the newest.
 * What has no time goes first.
 */
function laterFirst(a: Pod, b: Pod, timeOf: (pod: Pod) => Time | undefined, now: number): number {
  const [x, y] = [timeOf(a), timeOf(b)]
  if (x === y) return 0
  if (!x || !y) return Number(Boolean(x)) - Number(Boolean(y))
  return magnitude(now - Date.parse(x)) - magnitude(now - Date.parse(y)) || byUid(a, b)
}

/** Of milliseconds; counted in nanoseconds. */
function magnitude(ms: number): number {
  return ms <= 0 ? -1 : Math.floor(Math.log2(ms * 1e6))
}

function byUid(a: Pod, b: Pod): number {
  return a.metadata.uid < b.metadata.uid ? -1 : 1
}
