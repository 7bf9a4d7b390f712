/** A pod's phase from the states of its containers. Source: kubernetes `kubelet_pods.go` getPhase. */
import type { Container, ContainerStatus, Pod } from '../../../api/core/v1/types.gen.ts'
import { isSidecar } from '../../../api/core/v1/pod-spec/visit.ts'
import { policyOf, restartsAfter } from '../pods/restart-policy.ts'

export type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed'

export interface Statuses {
  readonly containers: readonly ContainerStatus[]
  readonly initContainers: readonly ContainerStatus[]
}

/** `isTerminal`: nothing of the pod will be started any more. */
export function phaseOf(pod: Pod, statuses: Statuses, isTerminal: boolean): Phase {
  const { spec } = pod
  const plain = (spec.initContainers ?? []).filter((container) => !isSidecar(container))
  const sidecars = (spec.initContainers ?? []).filter(isSidecar)
  const init = plain.map((container) => initProgress(pod, container, find(statuses.initContainers, container)))
  if (init.includes('failed')) return 'Failed'
  const sidecarsPending = sidecars.some((container) => isPendingSidecar(find(statuses.initContainers, container)))
  const begun = statuses.containers.some(({ state, lastState }) => state.running ?? state.terminated ?? lastState.terminated)
  const counts = count(spec.containers.map((container) => find(statuses.containers, container)))
  if (init.includes('pending') || (sidecarsPending && !begun)) return isTerminal && counts.running === 0 ? 'Failed' : 'Pending'
  if (counts.waiting > 0) return isTerminal && counts.running === 0 ? 'Failed' : 'Pending'
  if (counts.running > 0 && counts.unknown === 0) return 'Running'
  if (counts.running === 0 && counts.stopped > 0 && counts.unknown === 0) {
    if (isTerminal) return counts.stopped === counts.succeeded ? 'Succeeded' : 'Failed'
    return endOf(pod, statuses.containers)
  }
  return 'Pending'
}

/** All containers have ended for now. */
function endOf(pod: Pod, statuses: readonly ContainerStatus[]): Phase {
  let failed = false
  for (const container of pod.spec.containers) {
    const status = find(statuses, container)
    const ended = status?.state.terminated ?? status?.lastState.terminated
    if (!ended) continue
    if (restartsAfter(pod, container, ended.exitCode)) return 'Running'
    if (ended.exitCode !== 0) failed = true
  }
  return failed ? 'Failed' : 'Succeeded'
}

function initProgress(pod: Pod, container: Container, status: ContainerStatus | undefined): 'done' | 'pending' | 'failed' {
  const ended = status?.state.terminated
  if (!ended) return 'pending'
  if (ended.exitCode === 0) return 'done'
  return policyOf(pod, container) === 'Never' && !restartsAfter(pod, container, ended.exitCode) ? 'failed' : 'pending'
}

function isPendingSidecar(status: ContainerStatus | undefined): boolean {
  if (!status) return true
  if (status.state.running) return !status.started
  return status.state.waiting !== undefined && status.lastState.terminated === undefined
}

function count(statuses: readonly (ContainerStatus | undefined)[]) {
  const counts = { running: 0, waiting: 0, stopped: 0, succeeded: 0, unknown: 0 }
  for (const status of statuses) {
    if (!status) counts.unknown++
    else if (status.state.running) counts.running++
    else if (status.state.terminated) {
      counts.stopped++
      if (status.state.terminated.exitCode === 0) counts.succeeded++
    } else if (status.lastState.terminated) counts.stopped++
    else counts.waiting++
  }
  return counts
}

function find(statuses: readonly ContainerStatus[], { name }: Container): ContainerStatus | undefined {
  return statuses.find((status) => status.name === name)
}
