/** The cluster's domain. Source: Kubernetes DNS-Based Service Discovery 1.1.0. */
import { parseIp } from '../../../api/values/ip.ts'
import { TYPE } from '../wire/constants.ts'
import { isEncodable, labelsOf } from '../wire/name.ts'
import { aRecord, cnameRecord, nsRecord, soaRecord, srvRecord, txtRecord, type DnsRecord } from '../wire/record.ts'
import type { Found, Zone } from './found.ts'
import type { ServiceIndex } from './service-index.ts'
import type { NamedPort, ServiceNames } from './service-names.ts'

export interface ClusterZoneDeps {
  /** "cluster.local" */
  readonly domain: string
  /** Of the server itself, IPv4. */
  readonly address: string
  readonly services: ServiceIndex
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const SCHEMA_VERSION = '1.1.0'
/** Seconds. What comes and goes with pods is remembered for a shorter time. */
const SERVICE_TTL = 30
const ENDPOINT_TTL = 5
const NEGATIVE_TTL = 5

/** For answers that something is not there: how long that may be remembered. Zones answered here have no secondaries to tell. */
export function startOfAuthority(zone: string, domain: string, now: number): DnsRecord {
  return soaRecord(zone, NEGATIVE_TTL, {
    primary: `ns.dns.${domain}`,
    contact: `hostmaster.${domain}`,
    serial: Math.floor(now / 1000),
    minimum: NEGATIVE_TTL,
  })
}

export function createClusterZone({ domain, address, services, now }: ClusterZoneDeps): Zone {
  const apex = labelsOf(domain).toReversed()

  const has = (records: readonly DnsRecord[], type: number, additional?: readonly DnsRecord[]): Found => {
    const wanted = type === TYPE.ANY ? records : records.filter((record) => record.type === type)
    if (!wanted.length) return empty
    return { kind: 'records', records: wanted, ...(additional ? { additional } : {}) }
  }
  const empty: Found = { kind: 'empty', zone: domain }
  const missing: Found = { kind: 'missing', zone: domain }

  const serviceName = (namespace: string, name: string) => `${name}.${namespace}.svc.${domain}`

  const srvOf = (owner: string, ports: readonly NamedPort[], service: string): DnsRecord[] => {
    const weight = Math.max(1, Math.floor(100 / ports.length))
    return ports.map(({ host, port }) => {
      const target = host === null ? service : `${host}.${service}`
      return srvRecord(owner, host === null ? SERVICE_TTL : ENDPOINT_TTL, { weight, port, target })
    })
  }
  /** The addresses of what SRV records name, so that nobody has to ask for them. */
  const targetsOf = (ports: readonly NamedPort[], { addresses, hosts }: ServiceNames, service: string): DnsRecord[] =>
    [...new Set(ports.map(({ host }) => host))].flatMap((host) => {
      if (host === null) return addresses.map((ip) => aRecord(service, SERVICE_TTL, ip))
      return (hosts.get(host) ?? []).map((ip) => aRecord(`${host}.${service}`, ENDPOINT_TTL, ip))
    })

  const inService = (rest: readonly string[], names: ServiceNames, service: string, type: number): Found => {
    const [first, second] = rest
    if (names.alias !== null) {
      if (first !== undefined || !isEncodable(names.alias)) return first === undefined ? empty : missing
      return { kind: 'alias', record: cnameRecord(service, SERVICE_TTL, names.alias), target: names.alias }
    }
    if (first === undefined) {
      const ttl = names.headless ? ENDPOINT_TTL : SERVICE_TTL
      if (type === TYPE.SRV) return has(srvOf(service, names.ports, service), type, targetsOf(names.ports, names, service))
      return has(
        names.addresses.map((ip) => aRecord(service, ttl, ip)),
        type,
      )
    }
    if (first.startsWith('_')) {
      const named = names.ports.filter(({ name, protocol }) => name !== '' && `_${protocol}` === first)
      if (second === undefined) return named.length ? empty : missing
      const ports = named.filter(({ name }) => `_${name.toLowerCase()}` === second)
      if (!ports.length || rest.length > 2) return missing
      return has(srvOf(`${second}.${first}.${service}`, ports, service), type, targetsOf(ports, names, service))
    }
    const addresses = second === undefined ? names.hosts.get(first) : undefined
    if (!addresses) return missing
    const owner = `${first}.${service}`
    return has(
      addresses.map((ip) => aRecord(owner, ENDPOINT_TTL, ip)),
      type,
    )
  }

  const inServices = ([namespace, name, ...rest]: readonly string[], type: number): Found => {
    if (!services.known) return { kind: 'unknown' }
    if (namespace === undefined) return empty
    if (name === undefined) return services.hasNamespace(namespace) ? empty : missing
    const found = services.get(namespace, name)
    return found ? inService(rest, found, serviceName(namespace, name), type) : missing
  }

  const inPods = ([namespace, host, ...rest]: readonly string[], type: number): Found => {
    // Any namespace may have pods, and any address may be one's.
    if (namespace === undefined || host === undefined) return empty
    const ip = /^\d+-\d+-\d+-\d+$/.test(host) ? host.replaceAll('-', '.') : ''
    if (rest.length || parseIp(ip)?.family !== 4) return missing
    return has([aRecord(`${host}.${namespace}.pod.${domain}`, SERVICE_TTL, ip)], type)
  }

  /** Labels from the right, without the domain's. */
  const inDomain = (labels: readonly string[], type: number): Found => {
    const [first, ...rest] = labels
    switch (first) {
      case undefined:
        return has([startOfAuthority(domain, domain, now()), nsRecord(domain, SERVICE_TTL, `ns.dns.${domain}`)], type)
      case 'svc':
        return inServices(rest, type)
      case 'pod':
        return inPods(rest, type)
      case 'dns-version':
        return rest.length ? missing : has([txtRecord(`dns-version.${domain}`, SERVICE_TTL, SCHEMA_VERSION)], type)
      case 'dns':
        if (!rest.length) return empty
        return rest.join('.') === 'ns' ? has([aRecord(`ns.dns.${domain}`, SERVICE_TTL, address)], type) : missing
      default:
        return missing
    }
  }

  return {
    find(name, type) {
      const labels = labelsOf(name).toReversed()
      if (!apex.every((label, i) => labels[i] === label)) return null
      return inDomain(labels.slice(apex.length), type)
    },
  }
}
