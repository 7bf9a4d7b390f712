/** Variables that tell a container of Services. Source: kubernetes `kubelet/envvars`. */
import type { Service } from '../../../api/core/v1/types.gen.ts'

const MASTER = { namespace: 'default', name: 'kubernetes' }

/**
 * For the Services of the namespace, if `links`, and always for the API server's. Services without an address of their own have none.
 */
export function serviceEnvironment(services: readonly Service[], namespace: string, links: boolean): Map<string, string> {
  const env = new Map<string, string>()
  for (const service of services.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
    const { metadata, spec } = service
    const isMaster = metadata.namespace === MASTER.namespace && metadata.name === MASTER.name
    if (!isMaster && !(links && metadata.namespace === namespace)) continue
    // A Service of that name in the pod's own namespace comes before the API server's.
    if (isMaster && namespace !== MASTER.namespace && links && hasOwn(services, namespace)) continue
    if (!spec.clusterIP || spec.clusterIP === 'None') continue
    for (const [name, value] of variables(service, spec.clusterIP)) env.set(name, value)
  }
  return env
}

function hasOwn(services: readonly Service[], namespace: string): boolean {
  return services.some(
    ({ metadata, spec }) => metadata.namespace === namespace && metadata.name === MASTER.name && hasAddress(spec.clusterIP),
  )
}

const hasAddress = (ip: string | undefined) => ip !== undefined && ip !== '' && ip !== 'None'

function variables({ metadata, spec }: Service, ip: string): [string, string][] {
  const prefix = metadata.name.toUpperCase().replaceAll('-', '_')
  const host = ip.includes(':') ? `[${ip}]` : ip
  const out: [string, string][] = [[`${prefix}_SERVICE_HOST`, ip]]
  const [first] = spec.ports ?? []
  if (!first) return out
  out.push([`${prefix}_SERVICE_PORT`, String(first.port)])
  for (const { name, port } of spec.ports ?? []) {
    if (name) out.push([`${prefix}_SERVICE_PORT_${name.toUpperCase().replaceAll('-', '_')}`, String(port)])
  }
  const urlOf = (protocol: string, port: number) => `${protocol}://${host}:${port}`
  out.push([`${prefix}_PORT`, urlOf((first.protocol ?? 'TCP').toLowerCase(), first.port)])
  for (const { protocol = 'TCP', port } of spec.ports ?? []) {
    const key = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`
    out.push([key, urlOf(protocol.toLowerCase(), port)])
    out.push([`${key}_PROTO`, protocol.toLowerCase()])
    out.push([`${key}_PORT`, String(port)])
    out.push([`${key}_ADDR`, ip])
  }
  return out
}
