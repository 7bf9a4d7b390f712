/** Services get addresses and node ports that no other Service has. Source: kubernetes `registry/core/service/storage/alloc.go`. */
import { isHeadless, needsClusterIp, needsHealthCheckPort } from '../../../api/core/v1/service-traits.ts'
import type { Service } from '../../../api/core/v1/types.gen.ts'
import type { KubeObject } from '../../../api/meta/v1/object.ts'
import { invalid, type FieldError } from '../../../api/values/field-error.ts'
import type { Random } from '../../../base/random.ts'
import { internal, invalidObject } from '../../../machinery/status.ts'
import type { Companions } from '../../registry/guaranteed-update.ts'
import type { ResourceHooks } from '../../registry/registry.ts'
import { Plan } from './plan.ts'
import { type AddressRange, freePort, type PortRange } from './ranges.ts'
import type { RecordSpace } from './records.ts'
import { heldAddress, heldPorts, setFamilies, wantsNodePorts } from './service-spec.ts'

export interface ServiceAllocationOptions {
  readonly addresses: AddressRange
  readonly ports: PortRange
  readonly addressRecords: RecordSpace
  readonly portRecords: RecordSpace
  readonly random: Random
}

export class ServiceAllocation implements ResourceHooks {
  readonly #options: ServiceAllocationOptions

  constructor(options: ServiceAllocationOptions) {
    this.#options = options
  }

  async create(object: KubeObject): Promise<Companions | null> {
    const service = object as Service
    setFamilies(service)
    const plan = this.#plan(service)
    await this.#address(plan, service)
    await this.#ports(plan, service, new Set())
    return plan.companions()
  }

  async update(object: KubeObject, before: KubeObject): Promise<Companions | null> {
    const [service, old] = [object as Service, before as Service]
    setFamilies(service)
    const plan = this.#plan(service)
    const held = heldAddress(old)
    if (heldAddress(service) === undefined || heldAddress(service) !== held) await this.#address(plan, service)
    await this.#ports(plan, service, new Set(heldPorts(old)))
    if (held && heldAddress(service) !== held) plan.release(this.#options.addressRecords, held)
    const kept = new Set(heldPorts(service))
    for (const port of heldPorts(old)) if (!kept.has(port)) plan.release(this.#options.portRecords, String(port))
    return plan.companions()
  }

  remove(object: KubeObject): Companions | null {
    const service = object as Service
    const plan = this.#plan(service)
    const address = heldAddress(service)
    if (address) plan.release(this.#options.addressRecords, address)
    for (const port of heldPorts(service)) plan.release(this.#options.portRecords, String(port))
    return plan.companions()
  }

  #plan({ metadata }: Service): Plan {
    return new Plan({ namespace: metadata.namespace ?? '', name: metadata.name })
  }

  async #address(plan: Plan, service: Service): Promise<void> {
    const { spec } = service
    if (!needsClusterIp(service) || isHeadless(service)) return
    const { addresses, addressRecords, random } = this.#options
    const asked = heldAddress(service)
    if (asked) {
      const fault = (why: string) =>
        refused(service, invalid('spec.clusterIPs', spec.clusterIPs ?? [], `failed to allocate IP ${asked}: ${why}`))
      if (!addresses.contains(asked)) {
        throw fault(`the provided IP (${asked}) is not in the valid range. The range of valid IPs is ${addresses.toString()}`)
      }
      plan.take(addressRecords, asked, { taken: () => fault('provided IP is already allocated') })
      return
    }
    const address = await chosen(addressRecords, (taken) => addresses.free(taken, random))
    if (!address) throw internal(new Error('failed to allocate a serviceIP: range is full'))
    spec.clusterIP = address
    spec.clusterIPs = [address]
    const undo = () => {
      delete spec.clusterIP
      delete spec.clusterIPs
    }
    plan.take(addressRecords, address, { undo })
  }

  /** Ports in `held` are this Service's already. */
  async #ports(plan: Plan, service: Service, held: ReadonlySet<number>): Promise<void> {
    const { spec } = service
    const ports = spec.ports ?? []
    const done = new Set(held)
    ports.forEach(({ nodePort }, i) => this.#explicit(plan, service, nodePort, `spec.ports[${i}].nodePort`, done))
    if (wantsNodePorts(service)) {
      for (const port of ports) {
        if (port.nodePort) continue
        const shared = ports.find((p) => p.port === port.port && p.protocol !== port.protocol && p.nodePort)?.nodePort
        const undo = () => void delete port.nodePort
        port.nodePort = shared ?? (await this.#chosen(plan, undo))
      }
    }
    if (!needsHealthCheckPort(service)) return
    this.#explicit(plan, service, spec.healthCheckNodePort, 'spec.healthCheckNodePort', done)
    spec.healthCheckNodePort ||= await this.#chosen(plan, () => void delete spec.healthCheckNodePort)
  }

  #explicit(plan: Plan, service: Service, port: number | undefined, field: string, done: Set<number>): void {
    if (!port || done.has(port)) return
    done.add(port)
    const { from, to } = this.#options.ports
    const fault = (why: string) => refused(service, invalid(field, port, why))
    if (port < from || port > to) throw fault(`provided port is not in the valid range. The range of valid ports is ${from}-${to}`)
    plan.take(this.#options.portRecords, String(port), { taken: () => fault('provided port is already allocated') })
  }

  async #chosen(plan: Plan, undo: () => void): Promise<number> {
    const { ports, portRecords, random } = this.#options
    const port = await chosen(portRecords, (taken) => freePort(ports, taken, random))
    if (port === null) throw internal(new Error('failed to allocate a nodePort: range is full'))
    plan.take(portRecords, String(port), { undo })
    return port
  }
}

function refused(service: Service, error: FieldError) {
  return invalidObject({ group: '', kind: 'Service' }, service.metadata.name, [error])
}

/** If there is nothing, what was known may be out of date. */
async function chosen<T>(records: RecordSpace, choose: (taken: ReadonlySet<string>) => T | null): Promise<T | null> {
  const found = choose(await records.taken())
  if (found !== null) return found
  records.forget()
  return choose(await records.taken())
}
