/** What one evaluation goes through its steps with. */
import { BudgetError, type CelError } from './errors.ts'
import type { Value } from './values.ts'

export type Bindings = Readonly<Record<string, Value>>

export interface Frame {
  readonly bindings: Bindings
  /** Of comprehensions: variables and accumulators; an accumulator may hold an error, which a later step may outweigh. */
  readonly slots: (Value | CelError)[]
  cost: number
  readonly limit: number
}

export type Step = (frame: Frame) => Value

export function charge(frame: Frame, cost: number): void {
  frame.cost += cost
  if (frame.cost > frame.limit) throw new BudgetError()
}
