/** Links, addresses, routes and neighbours of a machine in memory, changed by our commands of ip(8) and bridge(8). */
import { networkOf, parseCidr } from '../../../../api/values/ip.ts'
import type { Step } from '../changes.ts'
import { VXLAN, type AddressSeen, type LinkSeen, type Observed, type RouteSeen } from '../observed.ts'

export class MachineModel {
  readonly #links = new Map<string, LinkSeen>()
  #addresses: AddressSeen[] = []
  #routes: RouteSeen[] = []
  readonly #neighbours = new Map<string, string>()
  #forwarding: { mac: string; endpoint: string }[] = []

  constructor(uplink: { readonly address: string; readonly mtu?: number }) {
    this.#links.set('eth0', { name: 'eth0', kind: '', mac: '52:54:00:00:00:01', mtu: uplink.mtu ?? 1500, up: true })
    this.#addresses.push({ link: 'eth0', address: uplink.address, prefix: 24 })
  }

  observe(): Observed {
    return structuredClone({
      links: this.#links,
      addresses: this.#addresses,
      routes: this.#routes,
      neighbours: this.#neighbours,
      forwarding: this.#forwarding,
    })
  }

  /** Something that is there already. */
  add(what: {
    readonly link?: LinkSeen
    readonly address?: AddressSeen
    readonly route?: { readonly to: string; readonly link: string }
  }): this {
    if (what.link) this.#links.set(what.link.name, what.link)
    if (what.address) this.#addresses.push(what.address)
    if (what.route) this.#routes.push(routeOf(what.route.to, what.route.link, null))
    return this
  }

  run(steps: readonly Step[]): void {
    for (const { program, command } of steps) {
      const words = command.split(' ')
      if (program === 'bridge') this.#fdb(words, command)
      else if (words[0] === 'link') this.#link(words, command)
      else if (words[0] === 'addr') this.#addr(words, command)
      else if (words[0] === 'route') this.#route(words, command)
      else if (words[0] === 'neigh') this.#neigh(words, command)
      else refuse(command)
    }
  }

  #link([, verb, name = '', ...rest]: string[], command: string): void {
    const options = pairs(rest)
    const known = this.#links.get(name)
    if (verb === 'del') {
      if (!this.#links.delete(name)) refuse(command)
      this.#addresses = this.#addresses.filter(({ link }) => link !== name)
      this.#routes = this.#routes.filter(({ link }) => link !== name)
      if (name === VXLAN) {
        this.#neighbours.clear()
        this.#forwarding = []
      }
      return
    }
    if (verb === 'add') {
      if (known) refuse(command)
      const kind = options.get('type') ?? ''
      const link = { name, kind, mac: options.get('address') ?? '', mtu: Number(options.get('mtu')), up: false }
      const vxlan = {
        id: Number(options.get('id')),
        port: Number(options.get('dstport')),
        local: options.get('local') ?? null,
        learning: !rest.includes('nolearning'),
      }
      this.#links.set(name, kind === 'vxlan' ? { ...link, vxlan } : { ...link, filtered: false })
      return
    }
    if (!known) refuse(command)
    const vxlan = known.vxlan && options.has('local') ? { ...known.vxlan, local: options.get('local') ?? null } : known.vxlan
    this.#links.set(name, {
      ...known,
      ...(vxlan ? { vxlan } : {}),
      ...(options.get('nf_call_iptables') === '1' ? { filtered: true } : {}),
      mac: options.get('address') ?? known.mac,
      mtu: Number(options.get('mtu') ?? known.mtu),
      up: known.up || rest.includes('up'),
    })
  }

  #addr([, verb, cidr = '', , link = '']: string[], command: string): void {
    const [address = '', prefix] = cidr.split('/')
    const is = (one: AddressSeen) => one.link === link && one.address === address
    if (!this.#links.has(link) || (verb === 'add') === this.#addresses.some(is)) refuse(command)
    if (verb === 'del') this.#addresses = this.#addresses.filter((one) => !is(one))
    else this.#addresses.push({ link, address, prefix: Number(prefix) })
  }

  #route([, verb, to = '', ...rest]: string[], command: string): void {
    const options = pairs(rest)
    const link = options.get('dev') ?? ''
    if (!this.#links.get(link)?.up) refuse(command)
    const others = this.#routes.filter((route) => JSON.stringify(route.to, text) !== JSON.stringify(routeOf(to, link, null).to, text))
    if (verb === 'del' && others.length === this.#routes.length) refuse(command)
    this.#routes = verb === 'del' ? others : [...others, routeOf(to, link, options.get('via') ?? null)]
  }

  #neigh([, verb, address = '', ...rest]: string[], command: string): void {
    const options = pairs(rest)
    if (!this.#links.has(options.get('dev') ?? '')) refuse(command)
    if (verb === 'replace') this.#neighbours.set(address, options.get('lladdr') ?? '')
    else if (!this.#neighbours.delete(address)) refuse(command)
  }

  #fdb([, verb, mac = '', ...rest]: string[], command: string): void {
    const options = pairs(rest)
    if (!this.#links.has(options.get('dev') ?? '')) refuse(command)
    const endpoint = options.get('dst') ?? ''
    const others = this.#forwarding.filter((one) => one.mac !== mac || (verb === 'del' && one.endpoint !== endpoint))
    if (verb === 'del' && others.length === this.#forwarding.length) refuse(command)
    this.#forwarding = verb === 'del' ? others : [...others, { mac, endpoint }]
  }
}

const text = (_key: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)

function routeOf(to: string, link: string, gateway: string | null): RouteSeen {
  const cidr = parseCidr(to)
  return { to: cidr && { address: networkOf(cidr), prefix: cidr.prefix }, link, gateway, table: 'main' }
}

function pairs(words: readonly string[]): Map<string, string> {
  return new Map(words.map((word, i) => [word, words[i + 1] ?? '']))
}

function refuse(command: string): never {
  throw new Error(`refused: ${command}`)
}
