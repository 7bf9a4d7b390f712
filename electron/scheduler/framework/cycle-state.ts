/** What plugins keep for themselves from one extension point to the next, for one pod. Source: `scheduler/framework.CycleState`. */

/** Names one thing in the state, and its type. Two keys of one name are two keys. */
export interface StateKey<T> {
  readonly name: string
  /** Never there; carries the type. */
  readonly type?: T
}

export function stateKey<T>(name: string): StateKey<T> {
  return Object.freeze({ name })
}

interface Cloneable {
  clone(): unknown
}

export class CycleState {
  readonly #values = new Map<StateKey<unknown>, unknown>()

  /** Throws if nothing was written. */
  read<T>(key: StateKey<T>): T {
    if (!this.#values.has(key)) throw new Error(`${key.name} is not in the cycle's state`)
    return this.#values.get(key) as T
  }

  find<T>(key: StateKey<T>): T | undefined {
    return this.#values.get(key) as T | undefined
  }

  write<T>(key: StateKey<T>, value: T): void {
    this.#values.set(key, value)
  }

  /** Values with a `clone` are cloned, others shared. */
  clone(): CycleState {
    const copy = new CycleState()
    for (const [key, value] of this.#values) copy.#values.set(key, isCloneable(value) ? value.clone() : value)
    return copy
  }
}

function isCloneable(value: unknown): value is Cloneable {
  return typeof value === 'object' && value !== null && 'clone' in value && typeof value.clone === 'function'
}
