/** IP addresses and their blocks. Sources: apiserver `cel/library/{ip,cidr}.go`, Go `net/netip`. */
import { cidrContains, formatIp, networkOf, parseCidr, parseIp, type Cidr, type IpAddress } from '../../../../api/values/ip.ts'
import { goQuote } from '../../../../api/values/field-error.ts'
import { CelError } from '../../errors.ts'
import { define, global, method, type FunctionDeclaration } from '../../functions.ts'
import { BOOL, INT, STRING, opaque } from '../../types.ts'
import { Opaque } from '../../values.ts'

export const IP_TYPE = opaque('net.IP')
export const CIDR_TYPE = opaque('net.CIDR')

class Ip extends Opaque {
  readonly type = IP_TYPE
  readonly address: IpAddress
  constructor(address: IpAddress) {
    super()
    this.address = address
  }
  equals(other: Opaque): boolean {
    return other instanceof Ip && other.address.family === this.address.family && other.address.value === this.address.value
  }
}

class Block extends Opaque {
  readonly type = CIDR_TYPE
  readonly cidr: Cidr
  constructor(cidr: Cidr) {
    super()
    this.cidr = cidr
  }
  equals(other: Opaque): boolean {
    return other instanceof Block && other.cidr.prefix === this.cidr.prefix && new Ip(this.cidr.address).equals(new Ip(other.cidr.address))
  }
}

const isMapped = ({ family, value }: IpAddress) => family === 6 && value >> 32n === 0xffffn

/** Throws CelError. */
function readIp(text: string): IpAddress {
  const zone = text.indexOf('%')
  const address = parseIp(zone < 0 ? text : text.slice(0, zone))
  if (!address) {
    const why = `ParseAddr(${goQuote(text)}): unable to parse IP`
    throw new CelError(`IP Address ${goQuote(text)} parse error during conversion from string: ${why}`)
  }
  if (zone >= 0) throw new CelError(`IP address ${goQuote(text)} with zone value is not allowed`)
  if (isMapped(address)) throw new CelError(`IPv4-mapped IPv6 address ${goQuote(text)} is not allowed`)
  return address
}

/** Throws CelError. */
function readBlock(text: string): Cidr {
  const cidr = parseCidr(text)
  const failed = 'network address parse error during conversion from string'
  if (!cidr) {
    const why = text.includes('/') ? 'unable to parse' : "no '/'"
    throw new CelError(`${failed}: ${failed}: netip.ParsePrefix(${goQuote(text)}): ${why}`)
  }
  if (isMapped(cidr.address)) throw new CelError(`${failed}: IPv4-mapped IPv6 address ${goQuote(text)} is not allowed`)
  return cidr
}

const holds = (read: (text: string) => unknown) => (text: string) => {
  try {
    read(text)
    return true
  } catch {
    return false
  }
}

const within = (...blocks: readonly string[]) => {
  const parsed = blocks.map(readBlock)
  return ({ address }: Ip) => parsed.some((cidr) => cidrContains(cidr, address))
}

const isUnspecified = within('0.0.0.0/32', '::/128')
const isLoopback = within('127.0.0.0/8', '::1/128')
const isLinkLocalMulticast = within('224.0.0.0/24', 'ff02::/16')
const isLinkLocalUnicast = within('169.254.0.0/16', 'fe80::/10')
const isMulticast = within('224.0.0.0/4', 'ff00::/8')
const isBroadcast = within('255.255.255.255/32')
const isGlobalUnicast = (ip: Ip) => !isUnspecified(ip) && !isLoopback(ip) && !isMulticast(ip) && !isLinkLocalUnicast(ip) && !isBroadcast(ip)

const containsIp = ({ cidr }: Block, { address }: Ip) => cidrContains(cidr, address)
const containsBlock = ({ cidr }: Block, { cidr: other }: Block) => cidr.prefix <= other.prefix && cidrContains(cidr, other.address)

const kindOf = (name: string, id: string, run: (ip: Ip) => boolean) => define(name, method(id, [IP_TYPE], BOOL, run))

export const NETWORK_FUNCTIONS: readonly FunctionDeclaration[] = [
  define(
    'ip',
    global('string_to_ip', [STRING], IP_TYPE, (text: string) => new Ip(readIp(text))),
    method('cidr_ip', [CIDR_TYPE], IP_TYPE, ({ cidr }: Block) => new Ip(cidr.address)),
  ),
  define('isIP', global('is_ip', [STRING], BOOL, holds(readIp))),
  define(
    'ip.isCanonical',
    global('ip_is_canonical', [STRING], BOOL, (text: string) => formatIp(readIp(text)) === text),
  ),
  define(
    'family',
    method('ip_family', [IP_TYPE], INT, ({ address }: Ip) => BigInt(address.family)),
  ),
  kindOf('isUnspecified', 'ip_is_unspecified', isUnspecified),
  kindOf('isLoopback', 'ip_is_loopback', isLoopback),
  kindOf('isLinkLocalMulticast', 'ip_is_link_local_multicast', isLinkLocalMulticast),
  kindOf('isLinkLocalUnicast', 'ip_is_link_local_unicast', isLinkLocalUnicast),
  kindOf('isGlobalUnicast', 'ip_is_global_unicast', isGlobalUnicast),
  define(
    'cidr',
    global('string_to_cidr', [STRING], CIDR_TYPE, (text: string) => new Block(readBlock(text))),
  ),
  define('isCIDR', global('is_cidr', [STRING], BOOL, holds(readBlock))),
  define(
    'containsIP',
    method('cidr_contains_ip_string', [CIDR_TYPE, STRING], BOOL, (block: Block, text: string) => containsIp(block, new Ip(readIp(text)))),
    method('cidr_contains_ip_ip', [CIDR_TYPE, IP_TYPE], BOOL, containsIp),
  ),
  define(
    'containsCIDR',
    method('cidr_contains_cidr_string', [CIDR_TYPE, STRING], BOOL, (block: Block, text: string) =>
      containsBlock(block, new Block(readBlock(text))),
    ),
    method('cidr_contains_cidr', [CIDR_TYPE, CIDR_TYPE], BOOL, containsBlock),
  ),
  define(
    'prefixLength',
    method('cidr_prefix_length', [CIDR_TYPE], INT, ({ cidr }: Block) => BigInt(cidr.prefix)),
  ),
  define(
    'masked',
    method('cidr_masked', [CIDR_TYPE], CIDR_TYPE, ({ cidr }: Block) => new Block({ ...cidr, address: networkOf(cidr) })),
  ),
  define(
    'string',
    global('ip_to_string', [IP_TYPE], STRING, ({ address }: Ip) => formatIp(address)),
    global('cidr_to_string', [CIDR_TYPE], STRING, ({ cidr }: Block) => `${formatIp(cidr.address)}/${cidr.prefix}`),
  ),
]
