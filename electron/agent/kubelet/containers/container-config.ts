/** Everything a runtime needs to know to make a container. Source: kubernetes `kuberuntime_container.go`. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Container, Pod } from '../../../api/core/v1/types.gen.ts'
import type { ImageInfo } from '../../runtime/cri-types.ts'
import type { ContainerConfig, MountConfig } from '../../runtime/cri.ts'
import {
  CONTAINER_HASH,
  CONTAINER_NAME,
  CONTAINER_PORTS,
  MESSAGE_PATH,
  MESSAGE_POLICY,
  PRE_STOP,
  RESTART_COUNT,
  TERMINATION_GRACE,
} from '../pods/names.ts'
import { expandCommand } from './env.ts'
import { containerResources } from './resources.ts'
import { podLabels } from './sandbox-config.ts'
import { containerSecurity } from './security.ts'

export interface ContainerInput {
  readonly pod: Pod
  readonly container: Container
  readonly restartCount: number
  readonly image: ImageInfo
  readonly env: ReadonlyMap<string, string>
  readonly mounts: MountConfig[]
  readonly targetId?: string | undefined
  readonly node: {
    readonly memoryCapacity: number
    readonly cgroupVersion: 1 | 2
    readonly seccompDir: string
  }
}

/** Throws ContainerConfigError where the image's user is not one that the pod allows. */
export function containerConfig(input: ContainerInput): ContainerConfig {
  const { pod, container, restartCount, image, env, node } = input
  return {
    metadata: { name: container.name, attempt: restartCount },
    image: { image: image.id },
    command: expandCommand(container.command, env),
    args: expandCommand(container.args, env),
    workingDir: container.workingDir ?? '',
    envs: [...env].map(([key, value]) => ({ key, value })),
    mounts: input.mounts,
    labels: { ...podLabels(pod), [CONTAINER_NAME]: container.name },
    annotations: annotationsOf(pod, container, restartCount),
    logPath: logPathOf(container.name, restartCount),
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    linux: {
      resources: containerResources({ pod, container, memoryCapacity: node.memoryCapacity, cgroupVersion: node.cgroupVersion }),
      securityContext: containerSecurity({ pod, container, image, seccompDir: node.seccompDir, targetId: input.targetId }),
    },
  }
}

/** Relative to the pod's log folder. */
export function logPathOf(container: string, restartCount: number): string {
  return join(container, `${restartCount}.log`)
}

/** Changes when the container must be made anew: with its image. */
export function containerHash({ name, image = '' }: Container): string {
  return createHash('sha256').update(JSON.stringify({ name, image })).digest('hex').slice(0, 8)
}

function annotationsOf(pod: Pod, container: Container, restartCount: number): Record<string, string> {
  const preStop = container.lifecycle?.preStop
  const grace = pod.spec.terminationGracePeriodSeconds
  return {
    [CONTAINER_HASH]: containerHash(container),
    [RESTART_COUNT]: String(restartCount),
    [MESSAGE_PATH]: container.terminationMessagePath ?? '',
    [MESSAGE_POLICY]: container.terminationMessagePolicy ?? 'File',
    ...(container.ports?.length ? { [CONTAINER_PORTS]: JSON.stringify(container.ports) } : {}),
    ...(preStop ? { [PRE_STOP]: JSON.stringify(preStop) } : {}),
    ...(grace === undefined ? {} : { [TERMINATION_GRACE]: String(grace) }),
  }
}
