/**
 * Finds devices on one node for all claims of a pod at once: requests in their order, of each the first alternative that works out,
 * and back again where a later one finds nothing. Source: kubernetes `dynamic-resource-allocation/structured/internal/stable/allocator.go`.
 */
import type { ParsedQuantity } from '../../../api/values/quantity.ts'
import { toleratesDevice } from '../../../machinery/devices/taints.ts'
import type { SelectableNode } from '../../matching/node-selector.ts'
import { consumedBy, suffices } from './capacity.ts'
import { Constraint } from './constraints.ts'
import type { PooledDevice, Pools } from './pools.ts'
import { AllocationError, type Ask, type ClaimAsks, type Request } from './requests.ts'
import type { Usage } from './usage.ts'

/** Of one claim (AllocationResultsMaxSize). */
const MOST_RESULTS = 32
/** So often a device is tried before the search is given up: it grows with the power of what is asked for. */
const MOST_TRIES = 200_000
/** Of alternatives of one request (FirstAvailableDeviceRequestMaxSize). */
const MOST_ALTERNATIVES = 8

export interface Granted {
  readonly ask: Ask
  readonly one: PooledDevice
  /** Of devices that others may have, too. */
  readonly amounts: Readonly<Record<string, ParsedQuantity>> | null
}

export interface Found {
  /** In the order of the claims. */
  readonly claims: readonly (readonly Granted[])[]
  /** Higher where requests got what they would rather have. */
  readonly preference: number
}

/** Null: the node has not got it. Throws AllocationError. `usage` is as before afterwards. */
export function allocate(node: SelectableNode, claims: readonly ClaimAsks[], pools: Pools, usage: Usage): Found | null {
  return new Search(node, claims, pools, usage).run()
}

class Search {
  readonly #devices: readonly PooledDevice[]
  readonly #usage: Usage
  readonly #claims: readonly ClaimAsks[]
  readonly #constraints: readonly (readonly Constraint[])[]
  readonly #requests: readonly { readonly claim: number; readonly request: Request }[]
  readonly #granted: Granted[][]
  readonly #candidates = new Map<Ask, readonly PooledDevice[]>()
  #preference = 0
  #tries = 0
  #found: Found | null = null

  constructor(node: SelectableNode, claims: readonly ClaimAsks[], pools: Pools, usage: Usage) {
    this.#devices = [...pools.reachable(node)]
    this.#usage = usage
    this.#claims = claims
    this.#constraints = claims.map(({ constraints }) => constraints.map((one) => new Constraint(one)))
    this.#requests = claims.flatMap(({ requests }, claim) => requests.map((request) => ({ claim, request })))
    this.#granted = claims.map(() => [])
  }

  run(): Found | null {
    this.#next(0)
    return this.#found
  }

  /** Whether everything from this request on has been found. */
  #next(index: number): boolean {
    const entry = this.#requests[index]
    if (!entry) {
      this.#found = { claims: this.#granted.map((one) => [...one]), preference: this.#preference }
      return true
    }
    const { claim, request } = entry
    for (const [i, ask] of request.entries()) {
      const worth = request.length > 1 || ask.name !== ask.parent ? MOST_ALTERNATIVES - i : 0
      this.#preference += worth
      const done = ask.spec.allocationMode === 'All' ? this.#takeAll(ask, claim, index) : this.#takeSome(ask, claim, index)
      this.#preference -= worth
      if (done) return true
    }
    return false
  }

  #takeAll(ask: Ask, claim: number, index: number): boolean {
    const unready = this.#devices.find((one) => !one.pool.usable && ask.selects(one))
    if (unready) {
      const { namespace, name } = this.#claims[claim]?.claim.metadata ?? { name: '' }
      const pool = `${unready.pool.driver}/${unready.pool.name}`
      throw new AllocationError(
        `claim ${namespace}/${name}, request ${ask.name}: asks for all devices, but resource pool ${pool} is currently being updated`,
      )
    }
    const wanted = this.#candidatesOf(ask)
    const more = (at: number): boolean => {
      const one = wanted[at]
      if (!one) return this.#next(index + 1)
      const got = this.#take(ask, claim, one)
      return got !== null && this.#having(got, claim, () => more(at + 1))
    }
    return wanted.length > 0 && more(0)
  }

  #takeSome(ask: Ask, claim: number, index: number): boolean {
    const candidates = this.#candidatesOf(ask)
    const count = ask.spec.count ?? 1
    // Which of them comes first makes no difference, so that each set is looked at once.
    const more = (missing: number, from: number): boolean => {
      if (missing === 0) return this.#next(index + 1)
      for (let at = from; at <= candidates.length - missing; at++) {
        const one = candidates[at] as PooledDevice
        const got = this.#take(ask, claim, one)
        if (got && this.#having(got, claim, () => more(missing - 1, at + 1))) return true
      }
      return false
    }
    return more(count, 0)
  }

  #take(ask: Ask, claim: number, one: PooledDevice): Granted | null {
    if (++this.#tries > MOST_TRIES) throw new AllocationError('timed out trying to allocate devices')
    const results = this.#granted[claim] as Granted[]
    if (results.length >= MOST_RESULTS) return null
    const shared = one.device.allowMultipleAllocations === true
    const amounts = shared ? consumedBy(one.device, ask.spec.capacity) : null
    if (shared ? !amounts : !suffices(one.device, ask.spec.capacity)) return null
    const constraints = (this.#constraints[claim] ?? []).filter((constraint) => constraint.concerns(ask))
    for (const [i, constraint] of constraints.entries()) {
      if (constraint.add(one)) continue
      for (const before of constraints.slice(0, i)) before.takeBack()
      return null
    }
    if (!ask.admin && !this.#usage.take(one, amounts)) {
      for (const constraint of constraints) constraint.takeBack()
      return null
    }
    const got: Granted = { ask, one, amounts: ask.admin ? null : amounts }
    results.push(got)
    return got
  }

  /** Whether it works out with this one, which is given back afterwards. */
  #having(got: Granted, claim: number, next: () => boolean): boolean {
    try {
      return next()
    } finally {
      this.#giveBack(got, claim)
    }
  }

  #giveBack(got: Granted, claim: number): void {
    this.#granted[claim]?.pop()
    if (!got.ask.admin) this.#usage.giveBack(got.one, got.amounts)
    for (const constraint of this.#constraints[claim] ?? []) if (constraint.concerns(got.ask)) constraint.takeBack()
  }

  #candidatesOf(ask: Ask): readonly PooledDevice[] {
    const known = this.#candidates.get(ask)
    if (known) return known
    const found = this.#devices.filter((one) => one.pool.usable && ask.selects(one) && isBorne(one, ask))
    this.#candidates.set(ask, found)
    return found
  }
}

function isBorne({ device }: PooledDevice, { spec }: Ask): boolean {
  return (device.taints ?? []).every(
    (taint) => taint.effect === 'None' || (spec.tolerations ?? []).some((one) => toleratesDevice(one, taint)),
  )
}
