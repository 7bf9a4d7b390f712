/**
 * Amounts of resources as numbers: cpu in thousandths of a core, everything else in whole units (bytes, devices), rounded up. Exact
 * up to 2^53. Source: kubernetes `scheduler/framework.Resource`.
 */
import { isExtendedResource, isHugePages } from '../../api/core/v1/resource-names.ts'
import { toMilli, toUnits } from '../../api/values/quantity.ts'

export type ResourceList = Readonly<Record<string, string>>

export interface Amounts {
  readonly milliCpu: number
  readonly memory: number
  readonly ephemeralStorage: number
  /** Extended resources, huge pages and the like by their name; null if there are none. */
  readonly scalar: ReadonlyMap<string, number> | null
}

const BINARY: Readonly<Record<string, number>> = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 }
const DECIMAL: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 }
const MAX_DIGITS = 15

/** Thousandths of a quantity: "100m" is 100, "2" is 2000. */
export function milliOf(text: string): number {
  const digits = leadingDigits(text)
  if (digits > 0 && digits < MAX_DIGITS - 3) {
    if (digits === text.length) return Number(text) * 1000
    if (digits === text.length - 1 && text.endsWith('m')) return Number(text.slice(0, digits))
  }
  return toMilli(text)
}

/** Whole units of a quantity: "64Mi" is 67108864. */
export function unitsOf(text: string): number {
  const digits = leadingDigits(text)
  if (digits > 0 && digits <= MAX_DIGITS) {
    if (digits === text.length) return Number(text)
    const suffix = text.slice(digits)
    const factor = BINARY[suffix] ?? DECIMAL[suffix]
    const value = factor === undefined ? Number.NaN : Number(text.slice(0, digits)) * factor
    if (Number.isSafeInteger(value)) return value
  }
  return toUnits(text)
}

/** The scheduler's own unit of a resource. */
export function amountOf(name: string, text: string): number {
  return name === 'cpu' ? milliOf(text) : unitsOf(text)
}

/** Whether a resource is counted by its name. Others that are not cpu, memory or ephemeral-storage are not looked at. */
export function isScalarResource(name: string): boolean {
  return isExtendedResource(name) || isHugePages(name) || name.includes('kubernetes.io/') || name.startsWith('attachable-volumes-')
}

/** A sum that grows and shrinks. */
export class AmountSum implements Amounts {
  milliCpu = 0
  memory = 0
  ephemeralStorage = 0
  scalar: Map<string, number> | null = null

  static of(list: ResourceList | undefined): AmountSum {
    const sum = new AmountSum()
    for (const name in list) sum.set(name, amountOf(name, list[name] as string))
    return sum
  }

  static copy(from: Amounts): AmountSum {
    const sum = new AmountSum()
    sum.milliCpu = from.milliCpu
    sum.memory = from.memory
    sum.ephemeralStorage = from.ephemeralStorage
    sum.scalar = from.scalar ? new Map(from.scalar) : null
    return sum
  }

  get(name: string): number {
    if (name === 'cpu') return this.milliCpu
    if (name === 'memory') return this.memory
    if (name === 'ephemeral-storage') return this.ephemeralStorage
    return this.scalar?.get(name) ?? 0
  }

  set(name: string, amount: number): void {
    if (name === 'cpu') this.milliCpu = amount
    else if (name === 'memory') this.memory = amount
    else if (name === 'ephemeral-storage') this.ephemeralStorage = amount
    else if (isScalarResource(name)) (this.scalar ??= new Map()).set(name, amount)
  }

  add(other: Amounts, sign: 1 | -1 = 1): void {
    this.milliCpu += sign * other.milliCpu
    this.memory += sign * other.memory
    this.ephemeralStorage += sign * other.ephemeralStorage
    if (!other.scalar) return
    const scalar = (this.scalar ??= new Map<string, number>())
    for (const [name, amount] of other.scalar) scalar.set(name, (scalar.get(name) ?? 0) + sign * amount)
  }

  /** Each amount becomes the larger of the two. */
  raise(other: Amounts): void {
    this.milliCpu = Math.max(this.milliCpu, other.milliCpu)
    this.memory = Math.max(this.memory, other.memory)
    this.ephemeralStorage = Math.max(this.ephemeralStorage, other.ephemeralStorage)
    if (!other.scalar) return
    const scalar = (this.scalar ??= new Map<string, number>())
    for (const [name, amount] of other.scalar) scalar.set(name, Math.max(scalar.get(name) ?? 0, amount))
  }
}

export function amountIn(amounts: Amounts, name: string): number {
  if (name === 'cpu') return amounts.milliCpu
  if (name === 'memory') return amounts.memory
  if (name === 'ephemeral-storage') return amounts.ephemeralStorage
  return amounts.scalar?.get(name) ?? 0
}

export function sameAmounts(a: Amounts, b: Amounts): boolean {
  if (a.milliCpu !== b.milliCpu || a.memory !== b.memory || a.ephemeralStorage !== b.ephemeralStorage) return false
  if (!a.scalar || !b.scalar) return (a.scalar?.size ?? 0) === (b.scalar?.size ?? 0)
  if (a.scalar.size !== b.scalar.size) return false
  for (const [name, amount] of a.scalar) if (b.scalar.get(name) !== amount) return false
  return true
}

function leadingDigits(text: string): number {
  let i = 0
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 48 || code > 57) break
  }
  return i
}
