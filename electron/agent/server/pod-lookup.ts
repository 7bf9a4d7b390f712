/** Which container of which pod a request is about. Source: kubernetes `kubelet_pods.go` validateContainerLogStatus. */
import { join } from 'node:path'
import type { ContainerStatus, PodStatus } from '../../api/core/v1/types.gen.ts'
import { logPathOf } from '../kubelet/containers/container-config.ts'
import type { PodCache } from '../kubelet/pleg/pod-cache.ts'
import { findContainer, readySandbox } from '../kubelet/pleg/runtime-pod.ts'
import type { RuntimeContainer } from '../kubelet/pleg/runtime-pod.ts'
import { podLogDirectory } from '../kubelet/pods/names.ts'
import type { PodManager } from '../kubelet/pods/pod-manager.ts'
import type { PodState } from '../kubelet/pods/pod-state.ts'
import { HttpError } from './http-error.ts'

export interface LookupDeps {
  readonly pods: PodManager
  readonly cache: PodCache
  /** Holds a folder of logs per pod. */
  readonly logRoot: () => string
}

export interface LogTarget {
  readonly uid: string
  readonly containerId: string
  /** The file that is written, whether it is there or not. */
  readonly path: string
}

export class PodLookup {
  readonly #deps: LookupDeps

  constructor(deps: LookupDeps) {
    this.#deps = deps
  }

  /** Throws HttpError 404. */
  pod(namespace: string, name: string, uid?: string): PodState {
    const worker = uid === undefined ? this.#deps.pods.find(namespace, name) : this.#deps.pods.get(uid)
    if (!worker) throw new HttpError(404, 'pod does not exist')
    return worker.state
  }

  /** A container that runs now. Throws HttpError. */
  running(state: PodState, container: string): RuntimeContainer {
    const found = findContainer(this.#deps.cache.get(state.uid), container)
    if (found?.state !== 'running') throw new HttpError(404, `container not found ("${container}")`)
    return found
  }

  /** The id of the pod's sandbox. Throws HttpError. */
  sandbox(state: PodState): string {
    const sandbox = readySandbox(this.#deps.cache.get(state.uid))
    if (!sandbox) throw new HttpError(404, `pod ${state.pod.metadata.name} has no sandbox that runs`)
    return sandbox.id
  }

  /** Throws HttpError where the container has written nothing yet. */
  logs(state: PodState, container: string, previous: boolean): LogTarget {
    const { metadata } = state.pod
    const status = statusOf(state.status, container)
    if (!status) throw new HttpError(404, `container ${container} not found in pod ${metadata.name}_${metadata.namespace}`)
    const id = previous ? previousId(status, metadata.name) : currentId(status, metadata.name)
    const containerId = id.replace(/^[^:]+:\/\//, '')
    const known = this.#deps.cache.get(state.uid)?.containers.find((c) => c.id === containerId)
    const count = previous && status.state.terminated?.containerID !== id ? status.restartCount - 1 : status.restartCount
    const path = known?.logPath || join(this.#deps.logRoot(), podLogDirectory(state.pod), logPathOf(container, Math.max(0, count)))
    return { uid: state.uid, containerId, path }
  }
}

function statusOf(status: PodStatus, name: string): ContainerStatus | undefined {
  const all = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? []), ...(status.ephemeralContainerStatuses ?? [])]
  return all.find((container) => container.name === name)
}

function previousId({ lastState, name }: ContainerStatus, pod: string): string {
  const id = lastState.terminated?.containerID
  if (!id) throw new HttpError(400, `previous terminated container "${name}" in pod "${pod}" not found`)
  return id
}

function currentId({ state, lastState, containerID, name }: ContainerStatus, pod: string): string {
  if (state.running && containerID) return containerID
  if (state.terminated?.containerID) return state.terminated.containerID
  if (lastState.terminated?.containerID) return lastState.terminated.containerID
  const reason = state.waiting?.reason ?? ''
  const why = WAITING[reason] ?? reason
  throw new HttpError(400, `container "${name}" in pod "${pod}" is waiting to start: ${why || 'no logs yet'}`)
}

const WAITING: Readonly<Record<string, string>> = {
  ErrImagePull: "image can't be pulled",
  ImagePullBackOff: 'trying and failing to pull image',
}
