/** How a pod is doing, in a line of a table. Source: kubernetes `pkg/printers/internalversion`, `printPod`. */
import { ageColumn } from '../../columns.ts'
import type { Column } from '../../kind.ts'
import type { Time } from '../../meta/v1/object.ts'
import { age } from '../../values/time.ts'
import { isSidecar } from './pod-spec/visit.ts'
import type { ContainerStateTerminated, ContainerStatus, Pod } from './types.gen.ts'

export interface PodSummary {
  readonly ready: number
  readonly total: number
  /** "Running", "CrashLoopBackOff", "Init:0/2", "Terminating", … */
  readonly reason: string
  readonly restarts: number
  /** When the container that ended last ended; undefined if none ever did. */
  readonly lastRestart: Time | undefined
}

const later = (a: Time | undefined, b: Time | undefined) => (!a || (b && Date.parse(b) > Date.parse(a)) ? b : a)

class Restarts {
  count = 0
  last: Time | undefined

  add({ restartCount, lastState }: ContainerStatus): void {
    this.count += restartCount
    this.last = later(this.last, lastState.terminated?.finishedAt)
  }
}

export function podSummary(pod: Pod): PodSummary {
  const { spec, status } = pod
  const containers = spec.containers ?? []
  const init = summariseInit(pod)
  const total = containers.length + (spec.initContainers ?? []).filter(isSidecar).length
  let { reason, restarts, ready } = init
  if (!init.initializing || hasTrue(pod, 'Initialized')) {
    restarts = init.sidecarRestarts
    let hasRunning = false
    for (const container of (status.containerStatuses ?? []).toReversed()) {
      restarts.add(container)
      const { waiting, terminated, running } = container.state
      if (waiting?.reason) ({ reason } = waiting as { reason: string })
      else if (terminated) reason = terminated.reason || exitText(terminated)
      else if (container.ready && running) {
        hasRunning = true
        ready++
      }
    }
    if (reason === 'Completed' && hasRunning) reason = hasTrue(pod, 'Ready') ? 'Running' : 'NotReady'
  }
  if (pod.metadata.deletionTimestamp) {
    if (status.reason === 'NodeLost') reason = 'Unknown'
    else if (status.phase !== 'Failed' && status.phase !== 'Succeeded') reason = 'Terminating'
  }
  return { ready, total, reason, restarts: restarts.count, lastRestart: restarts.last }
}

const hasTrue = ({ status }: Pod, type: string) => (status.conditions ?? []).some((each) => each.type === type && each.status === 'True')
const exitText = ({ signal, exitCode }: ContainerStateTerminated) => (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`)

/** Up to the first init container that is not done. */
function summariseInit({ spec, status }: Pod) {
  const isGated = (status.conditions ?? []).some(({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated')
  let reason: string = isGated ? 'SchedulingGated' : status.reason || (status.phase ?? '')
  let ready = 0
  const restarts = new Restarts()
  const sidecarRestarts = new Restarts()
  const containers = spec.initContainers ?? []
  for (const [i, container] of (status.initContainerStatuses ?? []).entries()) {
    const sidecar = isSidecar(containers.find(({ name }) => name === container.name))
    restarts.add(container)
    if (sidecar) sidecarRestarts.add(container)
    const { terminated, waiting } = container.state
    if (terminated?.exitCode === 0) continue
    if (sidecar && container.started) {
      if (container.ready) ready++
      continue
    }
    if (terminated) reason = `Init:${terminated.reason || exitText(terminated)}`
    else if (waiting?.reason && waiting.reason !== 'PodInitializing') reason = `Init:${waiting.reason}`
    else reason = `Init:${i}/${containers.length}`
    return { reason, ready, restarts, sidecarRestarts, initializing: true }
  }
  return { reason, ready, restarts, sidecarRestarts, initializing: false }
}

function readinessGates({ spec, status }: Pod): string {
  const gates = spec.readinessGates ?? []
  if (!gates.length) return '<none>'
  const passed = gates.filter(
    ({ conditionType }) => (status.conditions ?? []).find(({ type }) => type === conditionType)?.status === 'True',
  )
  return `${passed.length}/${gates.length}`
}

export const podColumns: readonly Column<Pod>[] = [
  {
    name: 'Ready',
    type: 'string',
    description: 'Containers that are ready, of all that run for as long as the pod',
    value(pod) {
      const { ready, total } = podSummary(pod)
      return `${ready}/${total}`
    },
  },
  { name: 'Status', type: 'string', description: 'What the containers are doing together', value: (pod) => podSummary(pod).reason },
  {
    name: 'Restarts',
    type: 'string',
    description: 'How often containers were started again, and how long ago the last time was',
    value(pod, now) {
      const { restarts, lastRestart } = podSummary(pod)
      return restarts && lastRestart ? `${restarts} (${age(lastRestart, now)} ago)` : String(restarts)
    },
  },
  ageColumn,
  {
    name: 'IP',
    type: 'string',
    priority: 1,
    description: 'First address of the pod',
    value: ({ status }) => status.podIPs?.[0]?.ip || '<none>',
  },
  { name: 'Node', type: 'string', priority: 1, description: 'Node that runs the pod', value: ({ spec }) => spec.nodeName || '<none>' },
  {
    name: 'Nominated Node',
    type: 'string',
    priority: 1,
    description: 'Node on which room is being made for the pod',
    value: ({ status }) => status.nominatedNodeName || '<none>',
  },
  {
    name: 'Readiness Gates',
    type: 'string',
    priority: 1,
    description: 'Conditions that hold, of those that must hold for the pod to be ready',
    value: readinessGates,
  },
]
