/** From addresses to names. Source: RFC 1035, 3.5; Kubernetes DNS-Based Service Discovery 1.1.0, 2.3.3 and 2.4.3. */
import { cidrContains, parseCidr, parseIp, type Cidr } from '../../../api/values/ip.ts'
import { TYPE } from '../wire/constants.ts'
import { labelsOf } from '../wire/name.ts'
import { ptrRecord } from '../wire/record.ts'
import type { Found, Zone } from './found.ts'
import type { ServiceIndex } from './service-index.ts'

export interface ReverseZoneDeps {
  readonly domain: string
  /** Blocks of addresses that only this cluster has: nobody else is asked for their names. */
  readonly cidrs: readonly string[]
  readonly services: ServiceIndex
}

const TTL = 5

/** Other addresses are answered for where the cluster has a name for them, and left to others where not. */
export function createReverseZone({ domain, cidrs, services }: ReverseZoneDeps): Zone {
  const own = cidrs.flatMap((text) => parseCidr(text) ?? []).filter(({ address }) => address.family === 4)

  return {
    find(name, type): Found | null {
      const octets = octetsOf(name)
      if (!octets) return null
      const address = [...octets, '0', '0', '0'].slice(0, 4).join('.')
      const ip = parseIp(address)
      const cidr = ip && own.find((one) => octets.length * 8 >= one.prefix && cidrContains(one, ip))
      if (octets.length < 4) return cidr ? { kind: 'empty', zone: zoneOf(octets, cidr) } : null
      if (!services.known && cidr) return { kind: 'unknown' }
      const names = services.namesOf(address)
      if (!cidr && !names.length) return null
      const zone = cidr ? zoneOf(octets, cidr) : name
      if (!names.length) return { kind: 'missing', zone }
      if (type !== TYPE.PTR && type !== TYPE.ANY) return { kind: 'empty', zone }
      return { kind: 'records', records: names.map((target) => ptrRecord(name, TTL, `${target}.svc.${domain}`)) }
    },
  }
}

/** From the left of the address; null for a name that is no part of one. */
function octetsOf(name: string): readonly string[] | null {
  const [arpa, family, ...octets] = labelsOf(name).toReversed()
  if (arpa !== 'arpa' || family !== 'in-addr' || octets.length < 1 || octets.length > 4) return null
  return octets.every((octet) => /^(0|[1-9]\d{0,2})$/.test(octet) && Number(octet) < 256) ? octets : null
}

/** The smallest zone of whole octets that a block has around an address. */
function zoneOf(octets: readonly string[], { prefix }: Cidr): string {
  return [...octets.slice(0, Math.ceil(prefix / 8)).toReversed(), 'in-addr', 'arpa'].join('.')
}
