/** Requests and limits as the kernel's cgroups take them. Source: kubernetes `kubelet/cm`, `kubelet/qos`. */
import type { Container, Pod, ResourceRequirements } from '../../../api/core/v1/types.gen.ts'
import { qosClass } from '../../../api/core/v1/pod-resources.ts'
import { isSidecar } from '../../../api/core/v1/pod-spec/visit.ts'
import { toMilli, toUnits } from '../../../api/values/quantity.ts'
import type { LinuxResources } from '../../runtime/cri.ts'

const MIN_SHARES = 2
const MAX_SHARES = 262_144
const SHARES_PER_CORE = 1024
/** Microseconds. */
const PERIOD = 100_000
const MIN_QUOTA = 1000

/** Weight of cgroup v1; runtimes convert it for v2. */
export function cpuShares(milli: number): number {
  if (milli === 0) return MIN_SHARES
  return Math.min(MAX_SHARES, Math.max(MIN_SHARES, Math.floor((milli * SHARES_PER_CORE) / 1000)))
}

/** Microseconds of CPU time in each period; 0 means no limit. */
export function cpuQuota(milli: number): number {
  return milli === 0 ? 0 : Math.max(MIN_QUOTA, Math.floor((milli * PERIOD) / 1000))
}

export const CPU_PERIOD = PERIOD

export function milliOf(quantity: string | undefined): number {
  return quantity === undefined ? 0 : toMilli(quantity)
}

export function bytesOf(quantity: string | undefined): number {
  return quantity === undefined ? 0 : toUnits(quantity)
}

export interface ResourceInput {
  readonly pod: Pod
  readonly container: Container
  /** Of the whole node, in bytes. */
  readonly memoryCapacity: number
  readonly cgroupVersion: 1 | 2
}

export function containerResources({ pod, container, memoryCapacity, cgroupVersion }: ResourceInput): LinuxResources {
  return {
    ...updatableResources(container.resources),
    oomScoreAdj: BigInt(oomScoreAdjust(pod, container, memoryCapacity)),
    // All of a container ends together, as on v1 where its processes share one limit.
    ...(cgroupVersion === 2 ? { unified: { 'memory.oom.group': '1' } } : {}),
  }
}

/** What can be changed while the container runs. */
export function updatableResources({ requests, limits }: ResourceRequirements): LinuxResources {
  const limit = milliOf(limits?.['cpu'])
  const request = requests?.['cpu'] === undefined ? limit : milliOf(requests['cpu'])
  return {
    cpuShares: BigInt(cpuShares(request)),
    cpuQuota: BigInt(cpuQuota(limit)),
    cpuPeriod: BigInt(PERIOD),
    memoryLimitInBytes: BigInt(bytesOf(limits?.['memory'])),
  }
}

const GUARANTEED = -997
const BEST_EFFORT = 1000
const NODE_CRITICAL = 2_000_001_000

/** Which containers the kernel ends first when memory is short: those that use most beyond what they asked for. */
export function oomScoreAdjust(pod: Pod, container: Container, memoryCapacity: number): number {
  if ((pod.spec.priority ?? 0) >= NODE_CRITICAL) return GUARANTEED
  const qos = qosClass(pod)
  if (qos === 'Guaranteed') return GUARANTEED
  if (qos === 'BestEffort') return BEST_EFFORT
  const own = burstableScore(container, memoryCapacity)
  if (!isSidecar(container)) return own
  // A sidecar is not ended before the containers that it serves.
  return Math.min(own, ...pod.spec.containers.map((main) => burstableScore(main, memoryCapacity)))
}

function burstableScore(container: Container, memoryCapacity: number): number {
  const request = bytesOf(container.resources.requests?.['memory'])
  const score = Math.floor(1000 - (1000 * request) / memoryCapacity)
  if (score < 1000 + GUARANTEED) return 1000 + GUARANTEED
  return score === BEST_EFFORT ? BEST_EFFORT - 1 : score
}
