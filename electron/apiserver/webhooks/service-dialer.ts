/**
 * The way from the API server to what stands behind a Service: through its node's agent to an endpoint that is a pod, directly to any
 * other, and to the name of an ExternalName Service. Source of the words: apiserver `pkg/util/proxy`.
 */
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Service } from '../../api/core/v1/types.gen.ts'
import type { EndpointSlice } from '../../api/discovery/v1/types.gen.ts'
import { randomInt, type Random } from '../../base/random.ts'
import { notFound, unavailable } from '../../machinery/status.ts'
import type { Lookup } from '../registry/lookup.ts'
import type { Connector } from '../types.ts'
import type { DialService } from './webhook-client.ts'

const SERVICES = { group: '', version: 'v1', resource: 'services' }
const ENDPOINT_SLICES = { group: 'discovery.k8s.io', version: 'v1', resource: 'endpointslices' }
const SERVICE_NAME = 'kubernetes.io/service-name'
const PROXY = 'services/proxy'

export interface ServiceDialerOptions {
  readonly lookup: Lookup
  readonly connectors: ReadonlyMap<string, Connector>
  readonly random: Random
}

export function serviceDialer({ lookup, connectors, random }: ServiceDialerOptions): DialService {
  return async ({ namespace, name, port }, signal) => {
    const service = await lookup.get<Service>(SERVICES, namespace, name)
    if (!service) throw notFound(SERVICES, name)
    const { type, externalName = '', ports = [] } = service.spec
    if (type === 'ExternalName') return dial(externalName, port, signal)
    const wanted = ports.find((one) => one.port === port)
    if (!wanted) throw unavailable(`no service port ${port} found for service ${JSON.stringify(name)}`)
    const slices = await lookup.list<EndpointSlice>(ENDPOINT_SLICES, namespace)
    const found = slices.flatMap((slice) => (slice.metadata.labels?.[SERVICE_NAME] === name ? endpointsOf(slice, wanted.name ?? '') : []))
    const chosen = found[randomInt(random, found.length)]
    if (!chosen) throw unavailable(`no endpoints available for service ${JSON.stringify(name)}`)
    const connector = connectors.get(PROXY)
    if (chosen.isPod && connector?.dial) return connector.dial({ namespace, name: `:${name}:${port}`, tail: '' }, signal)
    return dial(chosen.address, chosen.port, signal)
  }
}

function endpointsOf({ endpoints, ports }: EndpointSlice, portName: string): { address: string; port: number; isPod: boolean }[] {
  const port = ports?.find((one) => (one.name ?? '') === portName)?.port
  if (port === undefined) return []
  return (endpoints ?? []).flatMap(({ addresses, conditions, targetRef }) => {
    const address = addresses[0]
    return conditions?.ready === false || !address ? [] : [{ address, port, isPod: targetRef?.kind === 'Pod' }]
  })
}

function dial(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port })
    const abort = () => socket.destroy()
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
    socket.once('close', () => {
      signal.removeEventListener('abort', abort)
      reject(signal.aborted ? (signal.reason as Error) : new Error('EOF'))
    })
    socket.once('connect', () => resolve(socket))
    socket.on('error', reject)
  })
}
