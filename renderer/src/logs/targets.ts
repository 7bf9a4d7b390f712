/** Containers of pods as what a log view follows. */
import type { Container, ContainerStatus, EphemeralContainer, Pod } from '../../../electron/api/core/v1/types.gen.ts'
import type { LogTarget } from './session.ts'

export function containerStatus(pod: Pod, container: string): ContainerStatus | undefined {
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = pod.status ?? {}
  return [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses].find((status) => status.name === container)
}

export function containersOf(pod: Pod): (Container | EphemeralContainer)[] {
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers, ...(pod.spec.ephemeralContainers ?? [])]
}

export function logTarget(pod: Pod, container: string, previous: boolean, label: string): LogTarget {
  const { uid, name, namespace = '' } = pod.metadata
  const status = containerStatus(pod, container)
  const began = status?.state?.running || status?.state?.terminated
  return {
    key: `${uid}/${container}/${previous ? 'previous' : 'now'}`,
    namespace,
    pod: name,
    container,
    previous,
    label,
    running: status?.state?.running !== undefined,
    run: began ? (status.containerID ?? '') : '',
  }
}
