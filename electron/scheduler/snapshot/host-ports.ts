/** Ports of nodes that pods take. Source: kubernetes `scheduler/framework.HostPortInfo`, `scheduler/util.GetHostPorts`. */
import { isSidecar } from '../../api/core/v1/pod-spec/visit.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'

export interface HostPort {
  /** "0.0.0.0": every address. */
  readonly ip: string
  readonly protocol: string
  readonly port: number
}

const EVERY_ADDRESS = '0.0.0.0'
const NONE: readonly HostPort[] = Object.freeze([])

/** Of the containers and sidecars. */
export function hostPortsOf({ spec }: Pod): readonly HostPort[] {
  let ports: HostPort[] | null = null
  for (const container of [...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)]) {
    for (const { hostPort, hostIP, protocol } of container.ports ?? []) {
      if (hostPort) (ports ??= []).push({ ip: hostIP || EVERY_ADDRESS, protocol: protocol || 'TCP', port: hostPort })
    }
  }
  return ports ?? NONE
}

export function portsConflict(a: HostPort, b: HostPort): boolean {
  return a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === EVERY_ADDRESS || b.ip === EVERY_ADDRESS)
}

/** The ports taken on one node, each counted so that a second holder does not lose it with the first. */
export class HostPorts {
  /** By "TCP/80", then by address. */
  readonly #taken = new Map<string, Map<string, number>>()

  static copy(from: HostPorts): HostPorts {
    const ports = new HostPorts()
    for (const [key, addresses] of from.#taken) ports.#taken.set(key, new Map(addresses))
    return ports
  }

  add({ ip, protocol, port }: HostPort): void {
    const key = `${protocol}/${port}`
    let addresses = this.#taken.get(key)
    if (!addresses) this.#taken.set(key, (addresses = new Map()))
    addresses.set(ip, (addresses.get(ip) ?? 0) + 1)
  }

  remove({ ip, protocol, port }: HostPort): void {
    const key = `${protocol}/${port}`
    const addresses = this.#taken.get(key)
    const count = addresses?.get(ip)
    if (!addresses || count === undefined) return
    if (count > 1) addresses.set(ip, count - 1)
    else addresses.delete(ip)
    if (addresses.size === 0) this.#taken.delete(key)
  }

  conflicts({ ip, protocol, port }: HostPort): boolean {
    const addresses = this.#taken.get(`${protocol}/${port}`)
    if (!addresses) return false
    return ip === EVERY_ADDRESS || addresses.has(ip) || addresses.has(EVERY_ADDRESS)
  }
}
