import type { Node, Pod } from '../../../api/core/v1/types.gen.ts'
import type { KubeObject } from '../../../api/meta/v1/object.ts'
import { isExtendedResource } from '../../../api/core/v1/resource-names.ts'
import type { Evidence } from '../../framework/evidence.ts'
import { ACTION } from '../../framework/events.ts'
import { stateKey } from '../../framework/cycle-state.ts'
import { definePlugin } from '../../framework/descriptor.ts'
import type { AnyPlugin } from '../../framework/plugin.ts'
import { unresolvable, unschedulable, type Result } from '../../framework/status.ts'
import { amountIn, isScalarResource, type Amounts } from '../../snapshot/amounts.ts'
import { nodeFacts } from '../../snapshot/node-info.ts'
import { PodInfo } from '../../snapshot/pod-info.ts'
import { scorerOf, type ScoringStrategy } from './strategies.ts'

export interface NodeResourcesFitArgs {
  readonly scoringStrategy: ScoringStrategy
  /** Extended resources that somebody else looks after. */
  readonly ignoredResources: readonly string[]
  /** The same by their domain: "example.com". */
  readonly ignoredResourceGroups: readonly string[]
}

/** What a node has, as far as fitting is concerned. */
interface Room {
  readonly allocatable: Amounts
  readonly allowedPods: number
  readonly requested: Amounts
  readonly podCount: number
}

interface Shortage {
  readonly resource: string
  readonly requested: number
  readonly used: number
  readonly allocatable: number
}

const name = 'NodeResourcesFit'
const NOTHING: Amounts = Object.freeze({ milliCpu: 0, memory: 0, ephemeralStorage: 0, scalar: null })
const weights = stateKey<readonly number[]>(name)

/** Nodes that have what the pod requests; of them, by default, those that have most left. */
export const nodeResourcesFit = definePlugin<NodeResourcesFitArgs>({
  name,
  defaults: {
    scoringStrategy: {
      type: 'LeastAllocated',
      resources: [
        { name: 'cpu', weight: 1 },
        { name: 'memory', weight: 1 },
      ],
    },
    ignoredResources: [],
    ignoredResourceGroups: [],
  },
  create({ scoringStrategy, ignoredResources, ignoredResourceGroups }): AnyPlugin {
    const { resources } = scoringStrategy
    const scorer = scorerOf(scoringStrategy)
    // Filled anew for each node; a score never waits.
    const requested = new Array<number>(resources.length).fill(0)
    const allocatable = new Array<number>(resources.length).fill(0)
    /** The same list for the same resources, so that nodes that lack the same are refused with the very same words. */
    const known = new Map<string, readonly string[]>()
    const reasonsOf = (short: readonly Shortage[]): readonly string[] => {
      const key = short.length === 1 && short[0] ? short[0].resource : short.map(({ resource }) => resource).join()
      let reasons = known.get(key)
      if (!reasons) known.set(key, (reasons = short.map(reasonOf)))
      return reasons
    }
    const isIgnored = (resource: string) =>
      isExtendedResource(resource) &&
      (ignoredResources.includes(resource) || ignoredResourceGroups.includes(resource.slice(0, resource.indexOf('/'))))
    return {
      name,
      ofNodeAlone: true,
      events: [
        { event: { resource: 'AssignedPod', action: ACTION.delete } },
        {
          event: { resource: 'Node', action: ACTION.add | ACTION.updateNodeAllocatable },
          hint: (pod, old, now) => nodeHint(pod, old, now),
        },
        {
          event: { resource: 'AssignedPod', action: ACTION.updatePodScaleDown },
          hint: (pod, old, now) => (hasFreed(pod, old as Pod, now as Pod) ? 'Queue' : 'Skip'),
        },
        { event: { resource: 'TargetPod', action: ACTION.updatePodScaleDown } },
      ],
      filter(_cycle, { requests }, node): Result {
        if (fits(requests, node)) return null
        const short = shortages(requests, node).filter(({ resource }) => !isIgnored(resource))
        if (short.length === 0) return null
        const hopeless = short.some(({ resource, requested, allocatable }) => resource !== 'pods' && requested > allocatable)
        return (hopeless ? unresolvable : unschedulable)(name, reasonsOf(short), short.map(evidenceOf))
      },
      preScore({ state }, { filled }) {
        state.write(
          weights,
          resources.map((resource) => amountIn(filled, resource.name)),
        )
        return null
      },
      score({ state }, _pod, node) {
        const wanted = state.read(weights)
        for (let i = 0; i < resources.length; i++) {
          const resource = (resources[i] as { name: string }).name
          const own = wanted[i] as number
          allocatable[i] = 0
          requested[i] = 0
          if (own === 0 && isScalarResource(resource)) continue
          const there = amountIn(node.allocatable, resource)
          if (there === 0) continue
          const used =
            resource === 'cpu' ? node.nonZeroCpu : resource === 'memory' ? node.nonZeroMemory : amountIn(node.requested, resource)
          allocatable[i] = there
          requested[i] = used + own
        }
        return scorer(requested, allocatable)
      },
    }
  },
})

/** Exactly when `shortages` is empty, without making anything. */
function fits(wanted: Amounts, { allocatable, requested, allowedPods, podCount }: Room): boolean {
  if (podCount + 1 > allowedPods) return false
  if (wanted.milliCpu > 0 && wanted.milliCpu > allocatable.milliCpu - requested.milliCpu) return false
  if (wanted.memory > 0 && wanted.memory > allocatable.memory - requested.memory) return false
  if (wanted.ephemeralStorage > 0 && wanted.ephemeralStorage > allocatable.ephemeralStorage - requested.ephemeralStorage) return false
  if (!wanted.scalar) return true
  for (const [resource, amount] of wanted.scalar) {
    if (amount > 0 && amount > amountIn(allocatable, resource) - amountIn(requested, resource)) return false
  }
  return true
}

function shortages(wanted: Amounts, { allocatable, requested, allowedPods, podCount }: Room): Shortage[] {
  const short: Shortage[] = []
  if (podCount + 1 > allowedPods) short.push({ resource: 'pods', requested: 1, used: podCount, allocatable: allowedPods })
  for (const resource of ['cpu', 'memory', 'ephemeral-storage', ...(wanted.scalar?.keys() ?? [])]) {
    const amount = amountIn(wanted, resource)
    const [used, there] = [amountIn(requested, resource), amountIn(allocatable, resource)]
    if (amount > 0 && amount > there - used) short.push({ resource, requested: amount, used, allocatable: there })
  }
  return short
}

function reasonOf({ resource }: Shortage): string {
  return resource === 'pods' ? 'Too many pods' : `Insufficient ${resource}`
}

function evidenceOf({ resource, requested, used, allocatable }: Shortage): Evidence {
  const free = allocatable - used
  return { type: 'resource', resource, requested, used, allocatable, free, short: requested - free }
}

/** Worth a try if the empty node would do, and has more than before of what the pod wants. */
function nodeHint({ requests }: PodInfo, old: KubeObject | undefined, now: KubeObject | undefined): 'Queue' | 'Skip' {
  const { allocatable, allowedPods } = nodeFacts(now as Node)
  if (!fits(requests, { allocatable, allowedPods, requested: NOTHING, podCount: 0 })) return 'Skip'
  if (!old) return 'Queue'
  const before = nodeFacts(old as Node)
  if (allowedPods > before.allowedPods) return 'Queue'
  const names = ['cpu', 'memory', 'ephemeral-storage', ...(requests.scalar?.keys() ?? [])]
  const more = names.some(
    (resource) => amountIn(requests, resource) > 0 && amountIn(allocatable, resource) > amountIn(before.allocatable, resource),
  )
  return more ? 'Queue' : 'Skip'
}

/** Whether a pod on a node gave back something that this one wants. */
function hasFreed({ requests }: PodInfo, old: Pod, now: Pod): boolean {
  const [before, after] = [new PodInfo(old).requests, new PodInfo(now).requests]
  const names = ['cpu', 'memory', 'ephemeral-storage', ...(requests.scalar?.keys() ?? [])]
  return names.some((resource) => amountIn(requests, resource) > 0 && amountIn(before, resource) > amountIn(after, resource))
}
