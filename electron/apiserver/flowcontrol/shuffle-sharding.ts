/** Which queues a flow may use: a few of many, so that two flows seldom share all of theirs. Source: KEP-1040, "shuffle sharding". */
import { createHash } from 'node:crypto'

/** The hand that this flow is always dealt: `size` different cards of a deck numbered from 0. */
export function handOf(schema: string, distinguisher: string, deck: number, size: number): readonly number[] {
  let rest = createHash('sha256').update(`${schema}\0${distinguisher}`).digest().readBigUInt64LE()
  const hand: number[] = []
  for (let left = deck; hand.length < size && left > 0; left--) {
    const cards = BigInt(left)
    hand.push(nthLeft(Number(rest % cards), hand))
    rest /= cards
  }
  return hand
}

/** The card at place `n` of those that are not taken. */
function nthLeft(n: number, taken: readonly number[]): number {
  let card = n
  for (const one of taken.toSorted((a, b) => a - b)) if (one <= card) card++
  return card
}
