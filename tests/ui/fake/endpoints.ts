/** Stands for the endpoint slice controller: a slice per Service, of the pods that its selector picks. */
import type { Pod, Service } from '../../../electron/api/core/v1/types.gen.ts'
import type { EndpointSlice } from '../../../electron/api/discovery/v1/types.gen.ts'
import type { Client } from '../../../electron/client/client.ts'
import { ENDPOINT_SLICE, SERVICE } from './cluster.ts'
import { quietly } from './quietly.ts'

export async function syncEndpoints(client: Client, pods: readonly Pod[]): Promise<void> {
  const [services, slices] = await Promise.all([client.list(SERVICE), client.list(ENDPOINT_SLICE)])
  for (const service of services.items) {
    if (!service.spec.selector) continue
    const name = `${service.metadata.name}-fake1`
    const namespace = service.metadata.namespace ?? ''
    const endpoints = endpointsOf(service, pods)
    const present = slices.items.find((slice) => slice.metadata.name === name && slice.metadata.namespace === namespace)
    if (present && JSON.stringify(present.endpoints) === JSON.stringify(endpoints)) continue
    if (present) await quietly(() => client.update(ENDPOINT_SLICE, { ...present, endpoints }))
    else
      await quietly(() =>
        client.create(ENDPOINT_SLICE, {
          metadata: { name, namespace, labels: { 'kubernetes.io/service-name': service.metadata.name } },
          addressType: 'IPv4',
          ports: (service.spec.ports ?? []).map(({ port, protocol }) => ({ port, ...(protocol ? { protocol } : {}) })),
          endpoints,
        }),
      )
  }
}

function endpointsOf(service: Service, pods: readonly Pod[]): EndpointSlice['endpoints'] {
  const wanted = Object.entries(service.spec.selector ?? {})
  return pods
    .filter((pod) => pod.metadata.namespace === service.metadata.namespace && pod.status.podIP && !pod.metadata.deletionTimestamp)
    .filter((pod) => wanted.every(([key, value]) => pod.metadata.labels?.[key] === value))
    .map((pod) => {
      const ready = pod.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') === true
      return {
        addresses: [pod.status.podIP ?? ''],
        conditions: { ready, serving: ready, terminating: false },
        nodeName: pod.spec.nodeName ?? '',
        targetRef: { kind: 'Pod', name: pod.metadata.name, namespace: pod.metadata.namespace ?? '', uid: pod.metadata.uid },
      }
    })
}
