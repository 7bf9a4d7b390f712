/** What is left of devices, of what they share, and of those that several may have at a time. */
import type { AllocationResult, Device } from '../../../api/resource/v1/types.gen.ts'
import { addQuantity, compareQuantity, parseQuantity, subQuantity, type ParsedQuantity } from '../../../api/values/quantity.ts'
import { deviceId, type Pool, type PooledDevice } from './pools.ts'

type Amounts = Readonly<Record<string, ParsedQuantity>>

/** May be thought on: what is taken can be given back, in the opposite order. */
export class Usage {
  /** Devices that somebody has, whether alone or with others. */
  readonly #held = new Map<string, number>()
  /** Of shared devices: how much of each capacity is taken. */
  readonly #consumed = new Map<string, Record<string, ParsedQuantity>>()
  /** What is left of each counter, by pool. */
  readonly #counters = new Map<Pool, Map<string, ParsedQuantity>>()

  constructor(allocations: Iterable<AllocationResult>) {
    for (const { devices } of allocations) {
      for (const { driver, pool, device, adminAccess, consumedCapacity } of devices.results ?? []) {
        if (adminAccess) continue
        const id = deviceId(driver, pool, device)
        this.#held.set(id, (this.#held.get(id) ?? 0) + 1)
        this.#consume(id, parsed(consumedCapacity ?? {}))
      }
    }
  }

  isHeld(id: string): boolean {
    return this.#held.has(id)
  }

  /** False where there is not enough left. `amounts` is of shared devices only; of others nothing may be held. */
  take(one: PooledDevice, amounts: Amounts | null): boolean {
    const { id, device } = one
    if (amounts ? !this.#hasRoom(id, device, amounts) : this.isHeld(id)) return false
    const first = !this.isHeld(id)
    if (first && !this.#count(one, -1)) return false
    this.#held.set(id, (this.#held.get(id) ?? 0) + 1)
    if (amounts) this.#consume(id, amounts)
    return true
  }

  giveBack(one: PooledDevice, amounts: Amounts | null): void {
    const { id } = one
    const held = (this.#held.get(id) ?? 0) - 1
    if (held > 0) this.#held.set(id, held)
    else this.#held.delete(id)
    if (held <= 0) this.#count(one, 1)
    if (amounts) this.#consume(id, amounts, subQuantity)
  }

  #hasRoom(id: string, { capacity = {} }: Device, amounts: Amounts): boolean {
    const consumed = this.#consumed.get(id) ?? {}
    return Object.entries(amounts).every(([name, amount]) => {
      const total = capacity[name]
      return total && compareQuantity(addQuantity(consumed[name] ?? '0', amount), total.value) <= 0
    })
  }

  #consume(id: string, amounts: Amounts, change = addQuantity): void {
    if (Object.keys(amounts).length === 0) return
    const consumed = this.#consumed.get(id) ?? {}
    for (const [name, amount] of Object.entries(amounts)) consumed[name] = change(consumed[name] ?? '0', amount)
    this.#consumed.set(id, consumed)
  }

  /** Takes what the device consumes of its pool's counters; false where a counter is not there or has not enough. */
  #count({ device, pool }: PooledDevice, sign: 1 | -1): boolean {
    const wanted = consumption(device)
    if (wanted.length === 0) return true
    const left = this.#countersOf(pool)
    if (sign < 0 && wanted.some(([key, amount]) => compareQuantity(left.get(key) ?? '-1', amount) < 0)) return false
    for (const [key, amount] of wanted) {
      const before = left.get(key) ?? '0'
      left.set(key, sign < 0 ? subQuantity(before, amount) : addQuantity(before, amount))
    }
    return true
  }

  #countersOf(pool: Pool): Map<string, ParsedQuantity> {
    const known = this.#counters.get(pool)
    if (known) return known
    const left = new Map<string, ParsedQuantity>()
    for (const { name, counters } of pool.counterSets.values()) {
      for (const [counter, { value }] of Object.entries(counters)) left.set(`${name}/${counter}`, parseQuantity(value))
    }
    for (const { id, device } of pool.devices) {
      if (!this.isHeld(id)) continue
      for (const [key, amount] of consumption(device)) left.set(key, subQuantity(left.get(key) ?? '0', amount))
    }
    this.#counters.set(pool, left)
    return left
  }
}

function consumption({ consumesCounters = [] }: Device): [counter: string, amount: string][] {
  return consumesCounters.flatMap(({ counterSet, counters }) =>
    Object.entries(counters).map(([name, { value }]): [string, string] => [`${counterSet}/${name}`, value]),
  )
}

function parsed(quantities: Readonly<Record<string, string>>): Amounts {
  return Object.fromEntries(Object.entries(quantities).map(([name, value]) => [name, parseQuantity(value)]))
}
