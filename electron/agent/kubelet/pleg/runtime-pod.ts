/** A pod as the container runtime has it. */
import type { ContainerStatus, SandboxStatus } from '../../runtime/cri-types.ts'
import { CONTAINER_HASH, RESTART_COUNT } from '../pods/names.ts'

export interface RuntimePod {
  readonly uid: string
  readonly name: string
  readonly namespace: string
  /** Newest first. Only the addresses of one that is ready are known. */
  readonly sandboxes: readonly SandboxStatus[]
  /** Newest first, of all sandboxes. */
  readonly containers: readonly RuntimeContainer[]
}

export interface RuntimeContainer extends ContainerStatus {
  readonly sandboxId: string
  /** What the container left as its last words; empty while it runs. */
  readonly terminationMessage: string
}

export function restartCountOf(container: Pick<RuntimeContainer, 'annotations' | 'attempt'>): number {
  const count = Number(container.annotations[RESTART_COUNT])
  return Number.isInteger(count) ? count : container.attempt
}

export function hashOf(container: Pick<RuntimeContainer, 'annotations'>): string {
  return container.annotations[CONTAINER_HASH] ?? ''
}

/** The newest container of that name; with `sandboxId` only of that sandbox. */
export function findContainer(pod: RuntimePod | undefined, name: string, sandboxId?: string): RuntimeContainer | undefined {
  return pod?.containers.find((c) => c.name === name && (sandboxId === undefined || c.sandboxId === sandboxId))
}

export function runningContainers(pod: RuntimePod | undefined): RuntimeContainer[] {
  return (pod?.containers ?? []).filter(({ state }) => state === 'running')
}

/** The sandbox that the pod's containers live in: the newest if it is ready. */
export function readySandbox(pod: RuntimePod | undefined): SandboxStatus | undefined {
  const newest = pod?.sandboxes[0]
  return newest?.ready ? newest : undefined
}

/** Whether nothing of the pod runs any more. */
export function isStopped(pod: RuntimePod | undefined): boolean {
  return !pod || (runningContainers(pod).length === 0 && !pod.sandboxes.some(({ ready }) => ready))
}
