/** IPv4 networks as numbers. */

export interface Network {
  /** The first address. */
  readonly base: number
  /** Bits of the prefix. */
  readonly prefix: number
}

export function parseIpv4(text: string): number {
  const parts = text.split('.').map(Number)
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255))
    throw new RangeError(`not an IPv4 address: ${text}`)
  return parts.reduce((sum, part) => sum * 256 + part, 0)
}

export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.')
}

/** "10.77.3.0/24"; an address alone is a /32. */
export function parseNetwork(text: string): Network {
  const [address = '', bits = '32'] = text.split('/')
  const prefix = Number(bits)
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > 32) throw new RangeError(`not a network: ${text}`)
  const size = 2 ** (32 - prefix)
  const value = parseIpv4(address)
  return { base: value - (value % size), prefix }
}

export function formatNetwork({ base, prefix }: Network): string {
  return `${formatIpv4(base)}/${prefix}`
}

export function overlaps(a: Network, b: Network): boolean {
  const size = 2 ** (32 - Math.min(a.prefix, b.prefix))
  return Math.floor(a.base / size) === Math.floor(b.base / size)
}

const FIRST = parseIpv4('10.77.0.0')

/** A /24 of 10.77.0.0/16 that overlaps none of `taken`, beginning the search at `seed`; null if there is none. */
export function freeSubnet(taken: readonly Network[], seed: number): Network | null {
  for (let i = 0; i < 256; i++) {
    const network = { base: FIRST + ((seed + i) % 256) * 256, prefix: 24 }
    if (!taken.some((other) => overlaps(other, network))) return network
  }
  return null
}
