/** Pods as the API server would hand them out, for tests. */
import type { Container, Pod, PodSpec } from '../../api/core/v1/types.gen.ts'

export type ContainerDraft = Partial<Container> & { name: string }

export function container(draft: ContainerDraft): Container {
  return { image: 'busybox:1', imagePullPolicy: 'IfNotPresent', resources: {}, ...draft }
}

export function pod(
  spec: Partial<Omit<PodSpec, 'containers' | 'initContainers'>> & { containers?: ContainerDraft[]; initContainers?: ContainerDraft[] } = {},
  metadata: Partial<Pod['metadata']> = {},
): Pod {
  const { containers = [{ name: 'main' }], initContainers, ...rest } = spec
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'web',
      namespace: 'default',
      uid: 'uid-1',
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...metadata,
    },
    spec: {
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      nodeName: 'moth',
      ...rest,
      containers: containers.map(container),
      ...(initContainers ? { initContainers: initContainers.map(container) } : {}),
    },
    status: {},
  }
}
