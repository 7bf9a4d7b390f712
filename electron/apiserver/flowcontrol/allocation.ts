/** How the server's seats are divided among priority levels, and lent. Source: KEP-1040, "dispatching" and "borrowing". */

export interface Shares {
  readonly shares: number
  /** Of its seats, those that others may use meanwhile. */
  readonly lendablePercent: number
  /** How much more than its own it may use, in percent of its own; null: whatever is free. */
  readonly borrowingPercent: number | null
}

export interface Limits {
  readonly nominal: number
  /** What it never lends. */
  readonly min: number
  readonly max: number
}

export function limitsOf(levels: readonly Shares[], seats: number): Limits[] {
  const all = levels.reduce((sum, { shares }) => sum + shares, 0)
  return levels.map(({ shares, lendablePercent, borrowingPercent }) => {
    const nominal = all === 0 ? 0 : Math.ceil((seats * shares) / all)
    const lendable = Math.round((nominal * lendablePercent) / 100)
    const borrowed = borrowingPercent === null ? seats : Math.round((nominal * borrowingPercent) / 100)
    return { nominal, min: nominal - lendable, max: nominal + borrowed }
  })
}

/** What a level wants, in seats. */
export interface Wish {
  readonly limits: Limits
  /** The most at once in the last period. */
  readonly high: number
  /** Smoothed over periods. */
  readonly smooth: number
}

export interface Allocation {
  /** What each gets of what it wants; the same for all who are not at a bound. */
  readonly fraction: number
  readonly seats: readonly number[]
}

const STEPS = 60

/** Each gets at least what it never lends, and what it needs of its own; the rest goes by need. */
export function allocate(wishes: readonly Wish[], seats: number): Allocation {
  const bounds = wishes.map(({ limits: { nominal, min, max }, high, smooth }) => {
    const lower = Math.max(min, Math.min(nominal, high))
    return { lower, upper: Math.max(lower, max), target: Math.max(lower, smooth, 1) }
  })
  const given = (fraction: number) => bounds.map(({ lower, upper, target }) => Math.min(upper, Math.max(lower, fraction * target)))
  const sum = (parts: readonly number[]) => parts.reduce((total, part) => total + part, 0)
  let low = 0
  let high = 1
  const most = sum(bounds.map(({ upper }) => upper))
  while (sum(given(high)) < Math.min(seats, most)) high *= 2
  for (let i = 0; i < STEPS; i++) {
    const middle = (low + high) / 2
    if (sum(given(middle)) < seats) low = middle
    else high = middle
  }
  return { fraction: high, seats: given(high).map((part) => Math.max(1, Math.round(part))) }
}
