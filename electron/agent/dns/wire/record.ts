/** Records that this server makes itself. */
import { parseIp } from '../../../api/values/ip.ts'
import { TYPE } from './constants.ts'
import { encodeName } from './name.ts'

export interface DnsRecord {
  readonly name: string
  readonly type: number
  /** Seconds. */
  readonly ttl: number
  readonly data: Uint8Array
  /** A name that `data` is or ends with and that may be compressed (RFC 3597 allows it for the types of RFC 1035 only). */
  readonly target?: string
}

export function aRecord(name: string, ttl: number, address: string): DnsRecord {
  const value = Number(parseIp(address)?.value ?? 0n)
  return { name, type: TYPE.A, ttl, data: Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff) }
}

const NOTHING = new Uint8Array()

export const cnameRecord = (name: string, ttl: number, target: string): DnsRecord => ({
  name,
  type: TYPE.CNAME,
  ttl,
  data: NOTHING,
  target,
})
export const ptrRecord = (name: string, ttl: number, target: string): DnsRecord => ({ name, type: TYPE.PTR, ttl, data: NOTHING, target })
export const nsRecord = (name: string, ttl: number, target: string): DnsRecord => ({ name, type: TYPE.NS, ttl, data: NOTHING, target })

export interface Srv {
  readonly weight: number
  readonly port: number
  readonly target: string
}

export function srvRecord(name: string, ttl: number, { weight, port, target }: Srv): DnsRecord {
  const host = encodeName(target)
  const data = new Uint8Array(6 + host.length)
  const view = new DataView(data.buffer)
  view.setUint16(2, weight)
  view.setUint16(4, port)
  data.set(host, 6)
  return { name, type: TYPE.SRV, ttl, data }
}

export function txtRecord(name: string, ttl: number, text: string): DnsRecord {
  const bytes = Buffer.from(text)
  return { name, type: TYPE.TXT, ttl, data: Uint8Array.of(bytes.length, ...bytes) }
}

export interface Soa {
  readonly primary: string
  readonly contact: string
  readonly serial: number
  /** Seconds for which it may be remembered that something is not there. */
  readonly minimum: number
}

export function soaRecord(zone: string, ttl: number, { primary, contact, serial, minimum }: Soa): DnsRecord {
  const names = [encodeName(primary), encodeName(contact)] as const
  const numbers = new DataView(new ArrayBuffer(20))
  for (const [i, value] of [serial >>> 0, 7200, 1800, 86_400, minimum].entries()) numbers.setUint32(i * 4, value)
  return { name: zone, type: TYPE.SOA, ttl, data: Uint8Array.of(...names[0], ...names[1], ...new Uint8Array(numbers.buffer)) }
}
