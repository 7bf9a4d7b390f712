import { type Random, randomInt, seededRandom } from '../../../electron/base/random.ts'
import type { Key } from '../../../electron/store/store.ts'
import { planFault } from './plan-fault.ts'
import type { CompareIntent, FaultKind, Intent, LeaseChoice, OpIntent, Schedule, WatchIntent } from './intents.ts'

const REQUESTS = 360
const CLIENTS = 6
const WATCHERS = 3
/** Few, so that requests meet. */
const KEYS: readonly Key[] = ['a', 'a/', 'a/1', 'a/2', 'b', 'b/\xff', 'c', 'c/1', '\xff']
const RESULTS = ['equal', 'notEqual', 'greater', 'less'] as const

/** What happens in one run. The same seed makes the same schedule, for engines that can be harmed in the same ways. */
export function planRun(seed: number, faults: readonly FaultKind[]): Schedule {
  const random = seededRandom(Math.imul(seed, 0x9e3779b1) ^ 0x5f356495)
  const planner = new Planner(random)
  const clients = Array.from({ length: CLIENTS }, () => planner.client(REQUESTS / CLIENTS))
  const watchers = Array.from({ length: WATCHERS }, () => Array.from({ length: 4 }, () => planner.watch()))
  const count = faults.length === 0 ? 0 : 1 + randomInt(random, 3)
  const at = Array.from({ length: count }, () => 20 + randomInt(random, REQUESTS - 60)).sort((a, b) => a - b)
  return { seed, clients, watchers, faults: at.map((after) => planFault(random, faults, after)) }
}

class Planner {
  readonly #random: Random
  /** Some runs write much, so that the write-ahead log is folded into the database in the middle. */
  readonly #heavy: boolean

  constructor(random: Random) {
    this.#random = random
    this.#heavy = randomInt(random, 8) === 0
  }

  client(requests: number): Intent[][] {
    const groups: Intent[][] = []
    for (let left = requests; left > 0;) {
      const size = Math.min(left, this.#chance(0.25) ? 2 + randomInt(this.#random, 6) : 1)
      groups.push(Array.from({ length: size }, () => this.#intent()))
      left -= size
    }
    // Leases first, so that there are some.
    return [[{ type: 'grant', ttl: 1000 }], ...groups]
  }

  watch(): WatchIntent {
    return {
      ...this.#some(),
      from: this.#pick<WatchIntent['from']>(['now', 'resume', 'resume', { back: randomInt(this.#random, 60) }]),
      prevKv: this.#chance(0.5),
      filter: this.#pick([null, null, null, 'noPut', 'noDelete']),
      batches: 1 + randomInt(this.#random, 60),
      markMs: 5 + randomInt(this.#random, 100),
    }
  }

  #intent(): Intent {
    const roll = this.#random.float()
    if (roll < 0.3) return this.#put(this.#key())
    if (roll < 0.37) return { type: 'delete', ...this.#some(), prevKv: this.#chance(0.5) }
    if (roll < 0.52) return this.#range()
    if (roll < 0.85) return this.#txn([...KEYS], 0)
    if (roll < 0.88) return { type: 'grant', ttl: this.#pick([1, 1, 2, 1000]) }
    if (roll < 0.91) return { type: 'keepAlive', lease: this.#lease() }
    if (roll < 0.93) return { type: 'revoke', lease: this.#lease() }
    if (roll < 0.95) return { type: 'timeToLive', lease: this.#lease() }
    if (roll < 0.97) return { type: 'leases' }
    return { type: 'compact', back: randomInt(this.#random, 40) }
  }

  #put(key: Key): OpIntent {
    const ignore = this.#chance(0.05) ? 'value' : this.#chance(0.05) ? 'lease' : null
    const large = this.#heavy ? this.#chance(0.3) : this.#chance(0.02)
    const size = randomInt(this.#random, large ? 300_000 : this.#chance(0.2) ? 20_000 : 200)
    const lease = ignore !== 'lease' && this.#chance(0.2) ? this.#lease() : null
    return { type: 'put', key, size, prevKv: this.#chance(0.3), lease, ignore }
  }

  #range(): OpIntent {
    return {
      type: 'range',
      ...this.#some(),
      back: this.#chance(0.4) ? randomInt(this.#random, 80) : null,
      limit: this.#pick([0, 0, 1, 3]),
      form: this.#pick(['whole', 'whole', 'whole', 'keys', 'count', 'byMod']),
    }
  }

  /** No two operations of a transaction may write the same key: each takes its keys out of `free`. */
  #txn(free: Key[], depth: number): OpIntent {
    const ops = (count: number) => Array.from({ length: count }, () => this.#op(free, depth)).filter((op) => op !== null)
    const compare = Array.from({ length: this.#pick([0, 1, 1, 2]) }, () => this.#compare())
    return { type: 'txn', compare, success: ops(1 + randomInt(this.#random, 3)), failure: ops(randomInt(this.#random, 2)) }
  }

  #op(free: Key[], depth: number): OpIntent | null {
    const roll = this.#random.float()
    if (roll < 0.2) return this.#range()
    if (roll < 0.35 && depth < 2) return this.#txn(free, depth + 1)
    const [key] = free.splice(randomInt(this.#random, free.length), 1)
    if (key === undefined) return null
    return roll < 0.5 ? { type: 'delete', key, prevKv: this.#chance(0.5) } : this.#put(key)
  }

  #compare(): CompareIntent {
    const key = this.#key()
    const roll = this.#random.float()
    if (roll < 0.5) return { target: this.#pick(['seenMod', 'seenValue', 'seenVersion']), key, result: 'equal' }
    if (roll < 0.6) return { target: this.#pick(['seenMod', 'seenValue', 'seenVersion']), key, result: this.#pick(RESULTS) }
    if (roll < 0.8) return { target: this.#pick(['exists', 'missing']), key }
    if (roll < 0.9) return { target: 'create', ...this.#span(), back: randomInt(this.#random, 50), result: this.#pick(RESULTS) }
    return { target: 'lease', key, lease: this.#lease(), result: this.#pick(RESULTS) }
  }

  /** One key, or several. */
  #some(): { key: Key; end?: Key } {
    const roll = this.#random.float()
    if (roll < 0.4) return { key: this.#key() }
    return roll < 0.7 ? { key: '\0', end: '\0' } : this.#span()
  }

  #span(): { key: Key; end: Key } {
    return this.#pick([
      { key: 'a', end: 'b' },
      { key: 'a/', end: 'a0' },
      { key: 'b', end: '\0' },
    ])
  }

  #key(): Key {
    return this.#pick(KEYS)
  }

  #lease(): LeaseChoice {
    return { back: this.#chance(0.6) ? 0 : randomInt(this.#random, 4) }
  }

  #chance(share: number): boolean {
    return this.#random.float() < share
  }

  #pick<T>(from: readonly T[]): T {
    return from[randomInt(this.#random, from.length)] as T
  }
}
