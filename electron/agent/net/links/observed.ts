/** The links, addresses, routes and neighbours of this machine as `ip -j` tells them. */
import { networkOf, parseCidr, type Cidr } from '../../../api/values/ip.ts'
import { CommandError, type Commands } from '../commands.ts'

export interface Observed {
  readonly links: ReadonlyMap<string, LinkSeen>
  /** IPv4. */
  readonly addresses: readonly AddressSeen[]
  /** To other machines, IPv4, of all routing tables. */
  readonly routes: readonly RouteSeen[]
  /** Of `flotilla.vx`: permanent neighbours, by address. */
  readonly neighbours: ReadonlyMap<string, string>
  /** Of `flotilla.vx`: where frames for an Ethernet address go. */
  readonly forwarding: readonly { readonly mac: string; readonly endpoint: string }[]
}

export interface LinkSeen {
  readonly name: string
  /** "bridge", "vxlan", …; "" for hardware. */
  readonly kind: string
  readonly mac: string
  readonly mtu: number
  readonly up: boolean
  /** Of a VXLAN device. */
  readonly vxlan?: { readonly id: number; readonly port: number; readonly local: string | null; readonly learning: boolean }
  /** Of a bridge: whether netfilter sees what it forwards. */
  readonly filtered?: boolean
}

export interface AddressSeen {
  readonly link: string
  readonly address: string
  readonly prefix: number
}

export interface RouteSeen {
  /** The network; null for the default route. */
  readonly to: Cidr | null
  readonly link: string
  readonly gateway: string | null
  readonly table: string
}

export const BRIDGE = 'flotilla0'
export const VXLAN = 'flotilla.vx'

interface LinkJson {
  ifname: string
  address?: string
  mtu: number
  flags: string[]
  linkinfo?: {
    info_kind?: string
    info_data?: { id?: number; port?: number; local?: string; learning?: boolean; nf_call_iptables?: number }
  }
}

interface AddressJson {
  ifname?: string
  addr_info?: { local?: string; prefixlen?: number }[]
}

interface RouteJson {
  type?: string
  dst: string
  dev?: string
  gateway?: string
  table?: string
}

export async function observe(commands: Commands): Promise<Observed> {
  const read = async <T>(program: string, ...args: string[]) => JSON.parse((await commands.run(program, args)) || '[]') as T[]
  const [links, addresses, routes] = await Promise.all([
    read<LinkJson>('ip', '-j', '-d', 'link', 'show'),
    read<AddressJson>('ip', '-j', '-4', 'addr', 'show'),
    read<RouteJson>('ip', '-j', '-4', 'route', 'show', 'table', 'all'),
  ])
  const seen = new Map(links.map((link) => [link.ifname, linkOf(link)]))
  const tunnelled = seen.get(VXLAN)?.kind === 'vxlan'
  const [neighbours, forwarding] = tunnelled
    ? await Promise.all([
        unlessGone(read<{ dst: string; lladdr?: string }>('ip', '-j', 'neigh', 'show', 'dev', VXLAN, 'nud', 'permanent')),
        unlessGone(read<{ mac: string; dst?: string }>('bridge', '-j', 'fdb', 'show', 'dev', VXLAN)),
      ])
    : [[], []]
  return {
    links: seen,
    addresses: addresses.flatMap(addressesOf),
    routes: routes.flatMap(routeOf),
    neighbours: new Map(neighbours.flatMap(({ dst, lladdr }) => (lladdr ? [[dst, lladdr] as const] : []))),
    forwarding: forwarding.flatMap(({ mac, dst }) => (dst ? [{ mac, endpoint: dst }] : [])),
  }
}

/** The device may be taken away while it is looked at. */
async function unlessGone<T>(reading: Promise<T[]>): Promise<T[]> {
  try {
    return await reading
  } catch (error) {
    if (error instanceof CommandError && /Cannot find device|No such device/.test(error.stderr)) return []
    throw error
  }
}

function linkOf({ ifname, address = '', mtu, flags, linkinfo }: LinkJson): LinkSeen {
  const { info_kind: kind = '', info_data: data } = linkinfo ?? {}
  const link = { name: ifname, kind, mac: address, mtu, up: flags.includes('UP') }
  if (kind === 'vxlan') {
    const { id = 0, port = 0, local = null, learning = true } = data ?? {}
    return { ...link, vxlan: { id, port, local, learning } }
  }
  return kind === 'bridge' ? { ...link, filtered: data?.nf_call_iptables === 1 } : link
}

function addressesOf({ ifname, addr_info: addresses = [] }: AddressJson): AddressSeen[] {
  return addresses.flatMap(({ local, prefixlen }) =>
    ifname && local && prefixlen !== undefined ? [{ link: ifname, address: local, prefix: prefixlen }] : [],
  )
}

function routeOf({ type = 'unicast', dst, dev, gateway, table = 'main' }: RouteJson): RouteSeen[] {
  if (type !== 'unicast' || !dev) return []
  const to = dst === 'default' ? null : parseCidr(dst.includes('/') ? dst : `${dst}/32`)
  if (dst !== 'default' && !to) return []
  return [{ to: to && { address: networkOf(to), prefix: to.prefix }, link: dev, gateway: gateway ?? null, table }]
}

/** The link that holds an address. */
export function linkOfAddress({ addresses }: Observed, address: string): string | null {
  return addresses.find((one) => one.address === address)?.link ?? null
}
