/**
 * Devices as drivers publish them: slices make up pools, and a pool counts in its newest generation, once all its slices are there.
 * Source: kubernetes `dynamic-resource-allocation/structured/internal/pools.go`.
 */
import type { NodeSelector } from '../../../api/core/v1/types.gen.ts'
import type { CounterSet, Device, ResourceSlice, ResourceSliceSpec } from '../../../api/resource/v1/types.gen.ts'
import { NodeTerms, type SelectableNode } from '../../matching/node-selector.ts'

export interface PooledDevice {
  /** "driver/pool/device". */
  readonly id: string
  readonly device: Device
  readonly pool: Pool
  readonly slice: ResourceSliceSpec
}

export interface Pool {
  readonly driver: string
  readonly name: string
  /** All of its slices are there, and no two devices have one name. */
  readonly usable: boolean
  readonly counterSets: ReadonlyMap<string, CounterSet>
  readonly devices: readonly PooledDevice[]
}

export class Pools {
  readonly all: readonly Pool[]
  readonly #byNode = new Map<string, Pool[]>()
  /** Those with devices that more than one node may reach. */
  readonly #shared: Pool[] = []
  readonly #terms = new Map<NodeSelector, NodeTerms>()

  constructor(slices: Iterable<ResourceSlice>) {
    this.all = [...Map.groupBy(slices, ({ spec }) => `${spec.driver}/${spec.pool.name}`).values()].map(poolOf)
    for (const pool of this.all) {
      const nodes = new Set(pool.devices.map(({ device, slice }) => slice.nodeName ?? device.nodeName))
      if (nodes.has(undefined)) this.#shared.push(pool)
      else for (const node of nodes) this.#atNode(node ?? '').push(pool)
    }
  }

  /** The devices that the node can reach, in pools that can be used or not. */
  *reachable(node: SelectableNode): Iterable<PooledDevice> {
    for (const pool of [...(this.#byNode.get(node.name) ?? []), ...this.#shared]) {
      for (const one of pool.devices) if (this.#reaches(one, node)) yield one
    }
  }

  #reaches({ device, slice }: PooledDevice, node: SelectableNode): boolean {
    const place = slice.perDeviceNodeSelection ? device : slice
    if (place.allNodes) return true
    if (place.nodeName) return place.nodeName === node.name
    return place.nodeSelector ? this.#compiled(place.nodeSelector).matches(node) : false
  }

  #compiled(selector: NodeSelector): NodeTerms {
    const known = this.#terms.get(selector)
    if (known) return known
    const terms = new NodeTerms(selector)
    this.#terms.set(selector, terms)
    return terms
  }

  #atNode(name: string): Pool[] {
    const known = this.#byNode.get(name)
    if (known) return known
    const pools: Pool[] = []
    this.#byNode.set(name, pools)
    return pools
  }
}

function poolOf(slices: readonly ResourceSlice[]): Pool {
  const newest = Math.max(...slices.map(({ spec }) => spec.pool.generation))
  const current = slices.filter(({ spec }) => spec.pool.generation === newest).map(({ spec }) => spec)
  const [{ driver, pool: about } = { driver: '', pool: { name: '', resourceSliceCount: 0 } }] = current
  const names = current.flatMap(({ devices = [] }) => devices.map(({ name }) => name))
  const devices: PooledDevice[] = []
  const pool: Pool = {
    driver,
    name: about.name,
    usable: current.length === about.resourceSliceCount && new Set(names).size === names.length,
    counterSets: new Map(current.flatMap(({ sharedCounters = [] }) => sharedCounters.map((set) => [set.name, set]))),
    devices,
  }
  for (const slice of current) {
    for (const device of slice.devices ?? []) devices.push({ id: deviceId(driver, about.name, device.name), device, pool, slice })
  }
  return pool
}

export function deviceId(driver: string, pool: string, device: string): string {
  return `${driver}/${pool}/${device}`
}
