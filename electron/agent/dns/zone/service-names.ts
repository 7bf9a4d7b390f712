/** What a Service has in the DNS. Source: Kubernetes DNS-Based Service Discovery 1.1.0, 2.3 to 2.5. */
import type { ServiceNet, SliceNet } from '../../net/state/network-objects.ts'

export interface ServiceNames {
  /** Of an ExternalName Service: the name that it stands for. */
  readonly alias: string | null
  readonly headless: boolean
  /** IPv4: the cluster IP, or those of all ready endpoints. */
  readonly addresses: readonly string[]
  /** Of a headless Service: the addresses of its ready endpoints by their host names. */
  readonly hosts: ReadonlyMap<string, readonly string[]>
  readonly ports: readonly NamedPort[]
}

export interface NamedPort {
  /** Empty for the only port of a Service. */
  readonly name: string
  /** "tcp" */
  readonly protocol: string
  readonly port: number
  /** Of the endpoint that has it; null: the Service's own name. */
  readonly host: string | null
}

const NO_HOSTS: ServiceNames['hosts'] = new Map()

/** Null if it has no name at all: a headless Service without ready endpoints. */
export function serviceNames(service: ServiceNet, slices: readonly SliceNet[]): ServiceNames | null {
  const { clusterIP, externalName, ports } = service
  if (externalName !== null) {
    return { alias: externalName.toLowerCase().replace(/\.$/, ''), headless: false, addresses: [], hosts: NO_HOSTS, ports: [] }
  }
  if (clusterIP === 'None') return headlessNames(service, slices)
  return {
    alias: null,
    headless: false,
    addresses: clusterIP === null ? [] : [clusterIP],
    hosts: NO_HOSTS,
    ports: ports.map(({ name, protocol, port }) => ({ name, protocol: protocol.toLowerCase(), port, host: null })),
  }
}

function headlessNames({ publishNotReady }: ServiceNet, slices: readonly SliceNet[]): ServiceNames | null {
  const hosts = new Map<string, Set<string>>()
  const ports = new Map<string, NamedPort>()
  for (const slice of slices) {
    for (const { address, ready, hostname } of slice.endpoints) {
      if (!ready && !publishNotReady) continue
      const host = hostname?.toLowerCase() ?? address.replaceAll('.', '-')
      hosts.set(host, (hosts.get(host) ?? new Set()).add(address))
      for (const { name, protocol, port } of slice.ports) {
        // A port without a number stands for all of them: there is none to tell.
        if (port === null) continue
        ports.set(`${name}/${protocol}/${port}/${host}`, { name, protocol: protocol.toLowerCase(), port, host })
      }
    }
  }
  if (!hosts.size) return null
  return {
    alias: null,
    headless: true,
    addresses: [...new Set([...hosts.values()].flatMap((addresses) => [...addresses]))],
    hosts: new Map([...hosts].map(([host, addresses]) => [host, [...addresses]])),
    ports: [...ports.values()],
  }
}
