/** The states of a pod's containers as the API shows them. Source: kubernetes `kubelet_pods.go`. */
import type { Container, ContainerState, ContainerStatus, Pod, VolumeMountStatus } from '../../../api/core/v1/types.gen.ts'
import { formatTime } from '../../../api/values/time.ts'
import type { RuntimeContainer, RuntimePod } from '../pleg/runtime-pod.ts'
import { restartCountOf } from '../pleg/runtime-pod.ts'
import { shouldStart } from '../pods/restart-policy.ts'

/** Why a container is not running: set by whoever tried to start it. */
export interface Waiting {
  readonly reason: string
  readonly message: string
}

export interface Readiness {
  isStarted(container: Container, containerId: string): boolean
  isReady(uid: string, container: Container, containerId: string): boolean
}

export interface ContainerStatusInput {
  readonly pod: Pod
  readonly runtime: RuntimePod | undefined
  /** As last told. */
  readonly previous: readonly ContainerStatus[]
  readonly waiting: ReadonlyMap<string, Waiting>
  readonly readiness: Readiness
  readonly sort: 'init' | 'main' | 'ephemeral'
  /** The pod has ended: what was told of containers that are gone stays true. */
  readonly ended: boolean
}

export const RUNTIME_NAME = 'containerd'

export function containerStatuses(containers: readonly Container[], input: ContainerStatusInput): ContainerStatus[] {
  return containers.map((container) => statusOf(container, input))
}

function statusOf(container: Container, input: ContainerStatusInput): ContainerStatus {
  const { pod, runtime, previous, sort } = input
  const own = (runtime?.containers ?? []).filter(({ name }) => name === container.name)
  const [latest, before] = own
  const old = previous.find(({ name }) => name === container.name)
  const status = latest ? fromRuntime(container, latest) : withoutContainer(container, input, old)
  if (before && before.state === 'exited') status.lastState = stateOf(before)
  else if (latest && latest.state !== 'exited' && old?.lastState.terminated) status.lastState = old.lastState
  if (latest && old) status.restartCount = Math.max(status.restartCount, old.containerID === idOf(latest) ? old.restartCount : 0)

  const waiting = input.waiting.get(container.name)
  if (waiting && shouldStart(pod, container, latest)) {
    if (status.state.terminated) status.lastState = status.state
    status.state = { waiting: { reason: waiting.reason, ...(waiting.message ? { message: waiting.message } : {}) } }
  }
  const running = latest?.state === 'running' && status.state.running !== undefined
  if (sort === 'ephemeral') return status
  const plainInit = sort === 'init' && container.restartPolicy !== 'Always'
  status.started = running && (plainInit || input.readiness.isStarted(container, latest.id))
  if (plainInit) status.ready = status.state.terminated?.exitCode === 0
  else status.ready = running && input.readiness.isReady(pod.metadata.uid, container, latest.id)
  return status
}

function fromRuntime(container: Container, latest: RuntimeContainer): ContainerStatus {
  const running = latest.state === 'running'
  const { requests } = container.resources
  const mounts = volumeMounts(container)
  return {
    name: container.name,
    image: latest.image || (container.image ?? ''),
    imageID: latest.imageRef,
    containerID: idOf(latest),
    restartCount: restartCountOf(latest),
    state: stateOf(latest),
    lastState: {},
    ready: false,
    ...(running && requests && Object.keys(requests).length ? { allocatedResources: { ...requests } } : {}),
    ...(running ? { resources: container.resources } : {}),
    ...(mounts.length ? { volumeMounts: mounts } : {}),
  }
}

/** None was made yet, or what was made is gone. */
function withoutContainer(
  container: Container,
  { pod, sort, runtime, ended }: ContainerStatusInput,
  old: ContainerStatus | undefined,
): ContainerStatus {
  const initializing = sort === 'main' && (pod.spec.initContainers?.length ?? 0) > 0
  const status: ContainerStatus = {
    name: container.name,
    image: container.image ?? '',
    imageID: '',
    restartCount: old?.restartCount ?? 0,
    state: { waiting: { reason: initializing ? 'PodInitializing' : 'ContainerCreating' } },
    lastState: old?.lastState ?? {},
    ready: false,
    ...(volumeMounts(container).length ? { volumeMounts: volumeMounts(container) } : {}),
  }
  // A finished init container may be cleaned away; that it has finished stays true.
  if ((sort === 'init' || ended) && old?.state.terminated) return { ...old }
  if (old?.state.terminated) status.lastState = old.state
  else if (old?.state.running && runtime !== undefined) status.lastState = { terminated: LOST }
  return status
}

const LOST = {
  exitCode: 137,
  reason: 'ContainerStatusUnknown',
  message: 'The container could not be located when the pod was deleted.  The container used to be Running',
}

function stateOf(container: RuntimeContainer): ContainerState {
  switch (container.state) {
    case 'running':
      return { running: { startedAt: formatTime(container.startedAt) } }
    case 'exited': {
      const { exitCode, reason, terminationMessage, startedAt, finishedAt } = container
      const message = terminationMessage || container.message
      return {
        terminated: {
          exitCode,
          reason: reason || (exitCode === 0 ? 'Completed' : 'Error'),
          ...(message ? { message } : {}),
          // A container that could not be started has never begun.
          ...(startedAt > 0 ? { startedAt: formatTime(startedAt) } : {}),
          finishedAt: formatTime(finishedAt),
          containerID: idOf(container),
        },
      }
    }
    case 'created':
      return { waiting: { reason: 'ContainerCreating' } }
    case 'unknown':
      return { waiting: { reason: 'ContainerStatusUnknown' } }
  }
}

function idOf({ id }: { id: string }): string {
  return `${RUNTIME_NAME}://${id}`
}

function volumeMounts({ volumeMounts: mounts = [] }: Container): VolumeMountStatus[] {
  return mounts.map(({ name, mountPath, readOnly }) => ({
    name,
    mountPath,
    ...(readOnly ? { readOnly: true, recursiveReadOnly: 'Disabled' } : {}),
  }))
}
