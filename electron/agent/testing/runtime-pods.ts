/** Pods as the runtime has them, for tests. */
import type { SandboxStatus } from '../runtime/cri-types.ts'
import { containerHash } from '../kubelet/containers/container-config.ts'
import { CONTAINER_HASH, RESTART_COUNT } from '../kubelet/pods/names.ts'
import type { RuntimeContainer, RuntimePod } from '../kubelet/pleg/runtime-pod.ts'
import { container } from './pods.ts'

const T0 = Date.parse('2026-01-01T00:00:00Z')

export function sandbox(more: Partial<SandboxStatus> & { attempt?: number } = {}): SandboxStatus {
  const { attempt = 0, ...rest } = more
  const metadata = { name: 'web', namespace: 'default', uid: 'uid-1', attempt }
  return {
    id: `s${attempt}`,
    metadata,
    ready: true,
    createdAt: T0 + attempt,
    labels: {},
    annotations: {},
    ips: ['10.0.0.5'],
    hostNetwork: false,
    ...rest,
  }
}

export type ContainerState = Partial<RuntimeContainer> & { name: string; restarts?: number }

export function running(name: string, more: Partial<ContainerState> = {}): RuntimeContainer {
  return made({ name, state: 'running', startedAt: T0 + 1000, ...more })
}

export function exited(name: string, exitCode: number, more: Partial<ContainerState> = {}): RuntimeContainer {
  const reason = exitCode === 0 ? 'Completed' : 'Error'
  return made({ name, state: 'exited', exitCode, reason, startedAt: T0 + 1000, finishedAt: T0 + 2000, ...more })
}

function made({ name, restarts = 0, ...more }: ContainerState): RuntimeContainer {
  return {
    id: `${name}-${restarts}`,
    sandboxId: 's0',
    name,
    attempt: restarts,
    state: 'created',
    image: 'busybox:1',
    imageRef: 'sha256:1',
    createdAt: T0 + restarts,
    startedAt: 0,
    finishedAt: 0,
    exitCode: 0,
    reason: '',
    message: '',
    terminationMessage: '',
    labels: {},
    annotations: { [CONTAINER_HASH]: containerHash(container({ name })), [RESTART_COUNT]: String(restarts) },
    mounts: [],
    logPath: '',
    ...more,
  }
}

export function runtimePod(containers: readonly RuntimeContainer[], sandboxes: readonly SandboxStatus[] = [sandbox()]): RuntimePod {
  return {
    uid: 'uid-1',
    name: 'web',
    namespace: 'default',
    sandboxes,
    containers: containers.toSorted((a, b) => b.createdAt - a.createdAt),
  }
}
