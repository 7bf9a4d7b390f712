/** How functions are declared, for the checker and for evaluation alike. */
import type { CelType } from './types.ts'
import type { Value } from './values.ts'

export interface Overload {
  readonly id: string
  /** Whether it is called on its first parameter. */
  readonly member: boolean
  readonly params: readonly CelType[]
  readonly result: CelType
  /** Gets values of the types of `params`. Throws CelError. */
  readonly run: (...args: readonly Value[]) => Value
}

export interface FunctionDeclaration {
  readonly name: string
  readonly overloads: readonly Overload[]
}

/** What `run` may be written as: with the parameters that its types promise. */
type Implementation = (...args: never[]) => Value

const overload =
  (member: boolean) =>
  (id: string, params: readonly CelType[], result: CelType, run: Implementation): Overload => ({
    id,
    member,
    params,
    result,
    run: run as unknown as Overload['run'],
  })

/** `f(a, b)`. */
export const global = overload(false)
/** `a.f(b)`. */
export const method = overload(true)

export const define = (name: string, ...overloads: readonly Overload[]): FunctionDeclaration => ({ name, overloads })

/** Declarations by name; what several declare under one name is put together. */
export function gather(declarations: Iterable<FunctionDeclaration>): ReadonlyMap<string, readonly Overload[]> {
  const gathered = new Map<string, Overload[]>()
  for (const { name, overloads } of declarations) {
    const known = gathered.get(name) ?? []
    gathered.set(name, [...known.filter(({ id }) => !overloads.some((one) => one.id === id)), ...overloads])
  }
  return gathered
}
