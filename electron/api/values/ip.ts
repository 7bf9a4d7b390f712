/**
 * IP addresses and CIDR blocks as Kubernetes reads, checks and compares them (apimachinery `util/validation/ip.go`, RFC 5952).
 * Addresses are their value as a bigint with their family, so that comparing and masking need no buffers.
 */
import { invalid, type FieldError } from './field-error.ts'

export interface IpAddress {
  readonly family: 4 | 6
  readonly value: bigint
}

export interface Cidr {
  readonly address: IpAddress
  /** Bits of the network part. */
  readonly prefix: number
}

const MAPPED = 0xffffn << 32n

/** IPv4 in dotted decimal, or any form of IPv6 without a zone. IPv4-mapped IPv6 stays IPv6 here. Null if it is neither. */
export function parseIp(text: string): IpAddress | null {
  const v4 = parseV4(text)
  if (v4 !== null) return { family: 4, value: v4 }
  const v6 = text.includes(':') ? parseV6(text) : null
  return v6 === null ? null : { family: 6, value: v6 }
}

function parseV4(text: string): bigint | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (!match) return null
  let value = 0n
  for (const octet of match.slice(1)) {
    if (Number(octet) > 255 || (octet.length > 1 && octet.startsWith('0'))) return null
    value = (value << 8n) | BigInt(octet)
  }
  return value
}

function parseV6(text: string): bigint | null {
  const halves = text.split('::')
  if (halves.length > 2) return null
  const head = groupsOf(halves[0] ?? '')
  const tail = halves.length === 2 ? groupsOf(halves[1] ?? '') : []
  if (!head || !tail) return null
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail]
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n)
}

function groupsOf(text: string): number[] | null {
  if (text === '') return []
  const parts = text.split(':')
  const last = parts.at(-1) ?? ''
  const v4 = last.includes('.') ? parseV4(last) : null
  if (last.includes('.')) {
    if (v4 === null) return null
    parts.splice(-1, 1, (v4 >> 16n).toString(16), (v4 & 0xffffn).toString(16))
  }
  if (!parts.every((part) => /^[0-9a-fA-F]{1,4}$/.test(part))) return null
  return parts.map((part) => Number.parseInt(part, 16))
}

/** RFC 5952: lower case, the longest run of zero groups as "::". */
export function formatIp(ip: IpAddress): string {
  if (ip.family === 4) return [24n, 16n, 8n, 0n].map((shift) => (ip.value >> shift) & 0xffn).join('.')
  if (isMapped(ip)) return formatIp({ family: 4, value: ip.value & 0xffffffffn })
  const groups = Array.from({ length: 8 }, (_, i) => Number((ip.value >> BigInt(112 - 16 * i)) & 0xffffn))
  const run = longestZeroRun(groups)
  const hex = groups.map((group) => group.toString(16))
  if (run.length < 2) return hex.join(':')
  return `${hex.slice(0, run.start).join(':')}::${hex.slice(run.start + run.length).join(':')}`
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  for (let start = 0; start < groups.length; start++) {
    let length = 0
    while (groups[start + length] === 0) length++
    if (length > best.length) best = { start, length }
  }
  return best
}

const isMapped = (ip: IpAddress) => ip.family === 6 && ip.value >> 32n === MAPPED >> 32n
const bitsOf = (ip: IpAddress) => (ip.family === 4 ? 32 : 128)

/** "10.9.8.0/24". Null if it is none; bits after the prefix are kept. */
export function parseCidr(text: string): Cidr | null {
  const slash = text.lastIndexOf('/')
  const address = slash < 0 ? null : parseIp(text.slice(0, slash))
  const digits = text.slice(slash + 1)
  if (!address || !/^(0|[1-9]\d{0,2})$/.test(digits)) return null
  const prefix = Number(digits)
  return prefix <= bitsOf(address) ? { address, prefix } : null
}

/** The first address of the block. */
export function networkOf({ address, prefix }: Cidr): IpAddress {
  const host = BigInt(bitsOf(address) - prefix)
  return { family: address.family, value: (address.value >> host) << host }
}

export function cidrContains(cidr: Cidr, ip: IpAddress): boolean {
  return ip.family === cidr.address.family && networkOf({ address: ip, prefix: cidr.prefix }).value === networkOf(cidr).value
}

export function formatCidr(cidr: Cidr): string {
  return `${formatIp(networkOf(cidr))}/${cidr.prefix}`
}

export function ipErrors(field: string, text: string): FieldError[] {
  const ip = parseIp(text)
  if (ip) return isMapped(ip) ? [invalid(field, text, 'must not be an IPv4-mapped IPv6 address')] : []
  if (parseIp(withoutLeadingZeros(text))) return [invalid(field, text, 'must not have leading 0s')]
  return [invalid(field, text, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')]
}

export function cidrErrors(field: string, text: string): FieldError[] {
  const cidr = parseCidr(text)
  if (!cidr) {
    const why = parseCidr(withoutLeadingZeros(text))
      ? 'must not have leading 0s in IP or prefix length'
      : 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'
    return [invalid(field, text, why)]
  }
  if (isMapped(cidr.address)) return [invalid(field, text, 'must not have an IPv4-mapped IPv6 address')]
  if (networkOf(cidr).value !== cidr.address.value) return [invalid(field, text, 'must not have bits set beyond the prefix length')]
  return []
}

const withoutLeadingZeros = (text: string) => text.replace(/(^|[./])0+(?=\d)/g, '$1')

/** Exactly one address of each family, or fewer; false for what cannot be read. */
export function isDualStack(ips: readonly string[]): boolean {
  const families = ips.map((ip) => parseIp(ip)?.family)
  return families.includes(4) && families.includes(6) && !families.includes(undefined)
}

export function isDualStackCidrs(cidrs: readonly string[]): boolean {
  return isDualStack(cidrs.map((cidr) => cidr.slice(0, Math.max(0, cidr.lastIndexOf('/')))))
}

const range = (text: string): Cidr => {
  const cidr = parseCidr(text)
  if (!cidr) throw new Error(`${text} is no CIDR`)
  return cidr
}
const UNSPECIFIED = [range('0.0.0.0/32'), range('::/128')]
const LOOPBACK = [range('127.0.0.0/8'), range('::1/128')]
const LINK_LOCAL = [range('169.254.0.0/16'), range('fe80::/10')]
const LINK_LOCAL_MULTICAST = [range('224.0.0.0/24'), range('ff02::/16')]

/** For addresses of endpoints and external IPs: no loopback, link-local or unspecified ones. */
export function endpointIpErrors(field: string, text: string): FieldError[] {
  const ip = parseIp(text)
  if (!ip) return [invalid(field, text, 'must be a valid IP address')]
  const within = (ranges: readonly Cidr[]) => ranges.some((cidr) => cidrContains(cidr, ip))
  const out: FieldError[] = []
  if (within(UNSPECIFIED)) out.push(invalid(field, text, `may not be unspecified (${text})`))
  if (within(LOOPBACK)) out.push(invalid(field, text, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'))
  if (within(LINK_LOCAL)) out.push(invalid(field, text, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'))
  if (within(LINK_LOCAL_MULTICAST)) {
    out.push(invalid(field, text, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'))
  }
  return out
}
