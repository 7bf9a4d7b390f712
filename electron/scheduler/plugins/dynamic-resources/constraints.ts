/** What the devices of a claim must have in common, or may not. Source: kubernetes `structured/internal/constraint`. */
import type { DeviceConstraint } from '../../../api/resource/v1/types.gen.ts'
import { attributeIdentity, attributeOf } from '../../../machinery/devices/attributes.ts'
import type { PooledDevice } from './pools.ts'
import type { Ask } from './requests.ts'

/** May be thought on: what was added last is taken back first. */
export class Constraint {
  readonly #requests: ReadonlySet<string>
  readonly #attribute: string
  readonly #distinct: boolean
  readonly #values: string[] = []

  constructor({ requests = [], matchAttribute, distinctAttribute }: DeviceConstraint) {
    this.#requests = new Set(requests)
    this.#attribute = matchAttribute ?? distinctAttribute ?? ''
    this.#distinct = matchAttribute === undefined
  }

  concerns({ name, parent }: Ask): boolean {
    return this.#requests.size === 0 || this.#requests.has(parent) || this.#requests.has(name)
  }

  /** False where the device lacks the attribute, or has it otherwise than it must be. */
  add({ device, pool }: PooledDevice): boolean {
    const attribute = attributeOf(device, pool.driver, this.#attribute)
    if (!attribute) return false
    const value = attributeIdentity(attribute)
    const fits = this.#distinct ? !this.#values.includes(value) : this.#values.length === 0 || this.#values[0] === value
    if (fits) this.#values.push(value)
    return fits
  }

  takeBack(): void {
    this.#values.pop()
  }
}
