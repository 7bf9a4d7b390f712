/** The bridge of this state's sandboxes, and the link of each. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FlotillaError, systemCode } from '../../base/errors.ts'
import { forgetRules, letThrough } from './firewall.ts'
import type { SandboxNames } from './names.ts'
import { CommandError, run } from './run.ts'
import { formatIpv4, formatNetwork, freeSubnet, overlaps, parseNetwork, type Network } from './subnet.ts'

interface Route {
  dst: string
  dev?: string
}

/** The network of one state: chosen once, kept in its folder, made again when it is gone (after a restart of this computer). */
export class SandboxNetwork {
  readonly #names: SandboxNames
  readonly #egress: boolean
  #subnet: Network | null = null

  /** With `egress`, sandboxes reach what this computer reaches, by address translation. */
  constructor(names: SandboxNames, options: { egress: boolean }) {
    this.#names = names
    this.#egress = options.egress
  }

  /** Makes what is missing and returns the subnet. Throws ADDRESS_IN_USE if another link took it meanwhile. */
  async ensure(): Promise<Network> {
    const { bridge } = this.#names
    if (this.#subnet && (await this.#bridgeIsUp())) {
      // A firewall that was loaded anew has forgotten it.
      await letThrough(bridge)
      return this.#subnet
    }
    const routes = await readRoutes()
    const kept = await this.#read()
    const own = routes.find((route) => route.dev === bridge && route.dst.endsWith('/24'))
    const others = routes.filter((route) => route.dev !== bridge)
    const subnet = kept ?? (own ? parseNetwork(own.dst) : this.#choose(others))
    const clash = others.find((route) => inTheWay(parseNetwork(route.dst), subnet))
    if (clash) throw taken(subnet, clash)
    if (!kept) await writeFile(this.#file, JSON.stringify({ subnet: formatNetwork(subnet) }))
    await this.#makeBridge(subnet)
    await letThrough(bridge)
    if (this.#egress) await this.#translate(subnet)
    this.#subnet = subnet
    return subnet
  }

  /** This computer's own address on the bridge. */
  gateway(subnet: Network): string {
    return formatIpv4(subnet.base + 1)
  }

  /** Gives the network namespace of `pid` its `eth0`; safe to call again. */
  async attach(name: string, pid: number, address: string): Promise<void> {
    const subnet = await this.ensure()
    const link = this.#names.link(name)
    const present = await readRoutes(pid).then((routes) => routes.some((route) => route.dev === 'eth0'))
    if (!present) {
      await this.detach(name)
      await run('ip', ['-batch', '-'], {
        input: [
          `link add ${link} type veth peer name eth0 address ${this.#names.mac(name)} netns ${pid}`,
          `link set ${link} master ${this.#names.bridge} up`,
        ].join('\n'),
      })
    } else await run('ip', ['link', 'set', link, 'master', this.#names.bridge, 'up'])
    const gateway = this.gateway(subnet)
    await run('nsenter', ['--target', String(pid), '--net', 'ip', '-batch', '-'], {
      input: [
        'link set lo up',
        `addr replace ${address}/${subnet.prefix} dev eth0`,
        'link set eth0 up',
        `route replace default via ${gateway} dev eth0`,
      ].join('\n'),
    })
  }

  async detach(name: string): Promise<void> {
    await removeLink(this.#names.link(name))
  }

  /** Takes the bridge and the translation away; for when no sandbox is left. */
  async remove(): Promise<void> {
    this.#subnet = null
    await removeLink(this.#names.bridge)
    await forgetRules(this.#names.bridge)
    await deleteTable(this.#names.table)
    await rm(this.#file, { force: true })
  }

  get #file(): string {
    return join(this.#names.dir, 'network.json')
  }

  async #read(): Promise<Network | null> {
    try {
      const kept = JSON.parse(await readFile(this.#file, 'utf8')) as { subnet: string }
      return parseNetwork(kept.subnet)
    } catch (error) {
      if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError || error instanceof RangeError) return null
      throw error
    }
  }

  #choose(routes: readonly Route[]): Network {
    const seed = Number.parseInt(this.#names.bridge.slice(-2), 16)
    const subnet = freeSubnet(routes.map((route) => parseNetwork(route.dst)).filter(isSpecific), seed)
    if (subnet) return subnet
    throw new FlotillaError('ADDRESS_IN_USE', {
      what: 'There is no network for machines on this computer.',
      why: 'This computer has routes to all of 10.77.0.0/16.',
      next: 'Take down a link or VPN that holds it, or add a machine over SSH instead.',
    })
  }

  async #bridgeIsUp(): Promise<boolean> {
    return (await readRoutes()).some((route) => route.dev === this.#names.bridge)
  }

  async #makeBridge(subnet: Network): Promise<void> {
    const { bridge } = this.#names
    await run('ip', ['link', 'add', bridge, 'type', 'bridge']).catch((error: unknown) => {
      if (!(error instanceof CommandError) || !/exists/i.test(error.stderr)) throw error
    })
    await run('ip', ['-batch', '-'], {
      input: `addr replace ${this.gateway(subnet)}/${subnet.prefix} dev ${bridge}\nlink set ${bridge} up`,
    })
  }

  async #translate(subnet: Network): Promise<void> {
    const { bridge, table } = this.#names
    const routes = JSON.parse(await run('ip', ['-4', '-j', 'route', 'show', 'default'])) as unknown[]
    if (routes.length === 0) return
    await writeFile('/proc/sys/net/ipv4/ip_forward', '1')
    const rules = `table ip ${table} {
  chain post {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${formatNetwork(subnet)} oifname != "${bridge}" masquerade
  }
  # Forwarding is on for what the machines ask for, not for what others ask of them.
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname != "${bridge}" oifname "${bridge}" ct state != { established, related } drop
  }
}
`
    await run('nft', ['-f', '-'], { input: `table ip ${table} {}\ndelete table ip ${table}\n${rules}` })
  }
}

/** A VPN's route to all of 10.0.0.0/8 gives way to our /24; a network of the size of a site does not. */
const isSpecific = (network: Network) => network.prefix >= 16
const inTheWay = (network: Network, subnet: Network) => isSpecific(network) && overlaps(network, subnet)

async function readRoutes(pid?: number): Promise<Route[]> {
  const ip = ['ip', '-4', '-j', 'route', 'show', 'table', 'all']
  const [command = '', ...args] = pid === undefined ? ip : ['nsenter', '--target', String(pid), '--net', ...ip]
  const routes = JSON.parse((await run(command, args)) || '[]') as Route[]
  return routes.filter((route) => route.dst !== 'default' && /^\d/.test(route.dst))
}

async function removeLink(link: string): Promise<void> {
  await run('ip', ['link', 'del', link]).catch((error: unknown) => {
    if (!(error instanceof CommandError) || !/Cannot find device|does not exist/i.test(error.stderr)) throw error
  })
}

async function deleteTable(table: string): Promise<void> {
  await run('nft', ['-f', '-'], { input: `table ip ${table} {}\ndelete table ip ${table}\n` })
}

function taken(subnet: Network, route: Route): FlotillaError {
  return new FlotillaError('ADDRESS_IN_USE', {
    what: 'The network of the machines on this computer is taken.',
    why: `${formatNetwork(subnet)} overlaps ${route.dst}${route.dev ? ` on ${route.dev}` : ''}.`,
    next: 'Take that link or VPN down and try again, or remove the machines and make them anew: they then get another network.',
  })
}
