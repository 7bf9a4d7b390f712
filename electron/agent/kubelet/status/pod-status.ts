/** A pod's whole status as this node sees it. */
import type { Pod, PodCondition, PodStatus } from '../../../api/core/v1/types.gen.ts'
import { qosClass } from '../../../api/core/v1/pod-resources.ts'
import { formatTime } from '../../../api/values/time.ts'
import type { RuntimePod } from '../pleg/runtime-pod.ts'
import { readySandbox } from '../pleg/runtime-pod.ts'
import { conditionsOf } from './conditions.ts'
import { containerStatuses } from './container-statuses.ts'
import type { Readiness, Waiting } from './container-statuses.ts'
import { phaseOf } from './phase.ts'

export interface PodStatusInput {
  /** With the resources that were allocated to it. */
  readonly pod: Pod
  readonly runtime: RuntimePod | undefined
  /** As last told or read. */
  readonly previous: PodStatus
  readonly waiting: ReadonlyMap<string, Waiting>
  readonly readiness: Readiness
  /** Nothing of the pod will be started any more. */
  readonly isTerminal: boolean
  /** The node ended the pod: why. */
  readonly failure: Waiting | null
  readonly hostIPs: readonly string[]
  readonly conditions?: readonly Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>[]
  readonly now: number
}

export function podStatus(input: PodStatusInput): PodStatus {
  const { pod, runtime, previous, failure, hostIPs, now } = input
  const { spec } = pod
  const ended = isEnd(previous.phase)
  const common = { pod, runtime, waiting: input.waiting, readiness: input.readiness, ended }
  const statuses = {
    containers: containerStatuses(spec.containers, { ...common, previous: previous.containerStatuses ?? [], sort: 'main' }),
    initContainers: containerStatuses(spec.initContainers ?? [], {
      ...common,
      previous: previous.initContainerStatuses ?? [],
      sort: 'init',
    }),
  }
  const ephemeral = containerStatuses(spec.ephemeralContainers ?? [], {
    ...common,
    previous: previous.ephemeralContainerStatuses ?? [],
    sort: 'ephemeral',
  })
  const phase = ended ? (previous.phase as 'Succeeded' | 'Failed') : failure ? 'Failed' : phaseOf(pod, statuses, input.isTerminal)
  const reason = ended ? { reason: previous.reason, message: previous.message } : (failure ?? {})
  const sandbox = readySandbox(runtime)
  const podIPs = sandbox ? (sandbox.hostNetwork ? hostIPs : sandbox.ips) : (previous.podIPs ?? []).map(({ ip }) => ip)
  const conditions = conditionsOf({
    pod,
    phase,
    statuses,
    sandboxReady: sandbox !== undefined && podIPs.length > 0,
    previous: previous.conditions ?? [],
    now,
    ...(input.conditions ? { more: input.conditions } : {}),
  })
  return {
    phase,
    ...(reason.reason ? { reason: reason.reason } : {}),
    ...(reason.message ? { message: reason.message } : {}),
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    conditions,
    ...(hostIPs[0] === undefined ? {} : { hostIP: hostIPs[0], hostIPs: hostIPs.map((ip) => ({ ip })) }),
    ...(podIPs[0] === undefined ? {} : { podIP: podIPs[0], podIPs: podIPs.map((ip) => ({ ip })) }),
    startTime: previous.startTime ?? formatTime(now),
    qosClass: previous.qosClass ?? qosClass(pod),
    containerStatuses: statuses.containers,
    ...(statuses.initContainers.length ? { initContainerStatuses: statuses.initContainers } : {}),
    ...(ephemeral.length ? { ephemeralContainerStatuses: ephemeral } : {}),
  }
}

/** Of a pod that this node never took. */
export function rejectedStatus(pod: Pod, { reason, message }: Waiting, now: number): PodStatus {
  return {
    phase: 'Failed',
    reason,
    message,
    startTime: pod.status.startTime ?? formatTime(now),
    qosClass: pod.status.qosClass ?? qosClass(pod),
    ...(pod.status.conditions ? { conditions: pod.status.conditions } : {}),
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
  }
}

export function isEnd(phase: PodStatus['phase']): boolean {
  return phase === 'Succeeded' || phase === 'Failed'
}

/**
 * The last status of a pod that has been stopped: no container is left that might still run. What was never started, or is gone
 * without a trace, counts as failed. Source: kubernetes `kubelet/status/status_manager.go` TerminatePod.
 */
export function terminatedStatus(pod: Pod, status: PodStatus): PodStatus {
  const begun = (status.containerStatuses ?? []).some(({ containerID, lastState }) => containerID !== undefined || lastState.terminated)
  const closed = (list: PodStatus['containerStatuses'], close: boolean) =>
    list?.map((container) => {
      if (container.state.terminated || !close) return container
      const terminated = container.lastState.terminated ?? {
        exitCode: 137,
        reason: 'ContainerStatusUnknown',
        message: 'The container could not be located when the pod was terminated',
      }
      return { ...container, state: { terminated }, ready: false, started: false }
    })
  // Containers whose turn has not come, since an init container failed, go on waiting.
  const initialized = begun || !pod.spec.initContainers?.length || status.initContainerStatuses?.at(-1)?.state.terminated?.exitCode === 0
  const containers = closed(status.containerStatuses, initialized)
  const initBegun = (status.initContainerStatuses ?? []).map(({ containerID }) => containerID !== undefined)
  const lastBegun = initBegun.lastIndexOf(true)
  const initContainers = status.initContainerStatuses?.map((container, i) => closed([container], begun || i <= lastBegun)?.[0] ?? container)
  return {
    ...status,
    phase: isEnd(status.phase) ? status.phase : 'Failed',
    ...(containers ? { containerStatuses: containers } : {}),
    ...(initContainers ? { initContainerStatuses: initContainers } : {}),
  }
}
