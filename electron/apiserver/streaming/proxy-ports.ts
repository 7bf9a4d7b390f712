/** Which port of which pod a proxied name stands for. Source: kubernetes registry/core/{pod,service} ResourceLocation. */
import { pod as podKind } from '../../api/core/v1/pod.ts'
import { service as serviceKind } from '../../api/core/v1/service.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { endpointSlice } from '../../api/discovery/v1/endpoint-slice.ts'
import type { EndpointSlice } from '../../api/discovery/v1/types.gen.ts'
import { randomInt, type Random } from '../../base/random.ts'
import type { Client } from '../../client/client.ts'
import { badRequest, unavailable } from '../../machinery/status.ts'
import type { PodPort } from './pod-port.ts'
import type { FindPort } from './proxy.ts'

const SERVICE_NAME = 'kubernetes.io/service-name'

export function findPodPort(client: Client): FindPort {
  return async ({ signal }, namespace, { name, port }) => {
    const pod = await client.get(podKind, { namespace, name }, { signal })
    return at(pod, portOf(pod, port))
  }
}

/** A port of the pod: by number or name; without, its first. */
function portOf({ metadata, spec }: Pod, wanted: string): number {
  const ports = spec.containers.flatMap((container) => container.ports ?? [])
  if (wanted === '') return ports[0]?.containerPort ?? 80
  const port = /^\d+$/.test(wanted) ? Number(wanted) : ports.find(({ name }) => name === wanted)?.containerPort
  if (port === undefined || port < 1 || port > 65535) throw badRequest(`invalid port ${JSON.stringify(wanted)} of pod ${metadata.name}`)
  return port
}

/** Any ready endpoint that is a pod; without a port the only one of the Service. */
export function findServicePort(client: Client, random: Random): FindPort {
  return async ({ signal }, namespace, { name, port }) => {
    const { spec } = await client.get(serviceKind, { namespace, name }, { signal })
    const ports = spec.ports ?? []
    const wanted = port === '' && ports.length === 1 ? ports[0] : ports.find((one) => one.name === port || String(one.port) === port)
    if (!wanted) throw unavailable(`no service port ${JSON.stringify(port)} found for service ${JSON.stringify(name)}`)
    const slices = await client.list(endpointSlice, { namespace, labelSelector: `${SERVICE_NAME}=${name}`, signal })
    const found = slices.items.flatMap((slice) => endpointsOf(slice, wanted.name ?? ''))
    const chosen = found[randomInt(random, found.length)]
    if (!chosen) throw unavailable(`no endpoints available for service ${JSON.stringify(name)}`)
    const pod = await client.get(podKind, { namespace, name: chosen.pod }, { signal })
    return at(pod, chosen.port)
  }
}

function endpointsOf({ endpoints, ports }: EndpointSlice, portName: string): { pod: string; port: number }[] {
  const port = ports?.find((one) => (one.name ?? '') === portName)?.port
  if (port === undefined) return []
  return (endpoints ?? []).flatMap(({ conditions, targetRef }) =>
    conditions?.ready !== false && targetRef?.kind === 'Pod' && targetRef.name ? [{ pod: targetRef.name, port }] : [],
  )
}

function at({ metadata, spec }: Pod, port: number): PodPort {
  if (!spec.nodeName) throw badRequest(`pod ${metadata.name} does not have a host assigned`)
  return { node: spec.nodeName, namespace: metadata.namespace ?? '', pod: metadata.name, port }
}
