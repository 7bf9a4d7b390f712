/** The chain of checks between decoding and storing: first what may change the object, in order, then what only judges it. */
import type { AdmissionCheck, AdmissionRequest } from '../types.ts'

export interface AdmissionPlugin {
  readonly name: string
  /** Asked first and often: whether the other functions are to be called. */
  handles(request: AdmissionRequest): boolean
  /** May change `request.object`. Refuses by throwing StatusError. */
  admit?(request: AdmissionRequest, rounds: Rounds): Promise<void> | void
  validate?(request: AdmissionRequest): Promise<void> | void
}

/** A chain that changed the object is gone through once more, so that those before see what those after them made. */
export interface Rounds {
  /** This is the second time. */
  readonly again: boolean
  wantAnother(): void
  /** What a plugin keeps between the rounds. */
  state<T>(plugin: string, make: () => T): T
}

export interface Admission {
  admit(request: AdmissionRequest): Promise<void>
  validate(request: AdmissionRequest): Promise<void>
}

export function createAdmission(plugins: readonly AdmissionPlugin[], checks: readonly AdmissionCheck[]): Admission {
  return {
    async admit(request) {
      const rounds = new ChainRounds()
      await admitOnce(plugins, request, rounds)
      if (!rounds.wanted) return
      rounds.again = true
      await admitOnce(plugins, request, rounds)
    },
    async validate(request) {
      for (const plugin of plugins) if (plugin.validate && plugin.handles(request)) await plugin.validate(request)
      for (const check of checks) await check(request)
    },
  }
}

async function admitOnce(plugins: readonly AdmissionPlugin[], request: AdmissionRequest, rounds: Rounds): Promise<void> {
  for (const plugin of plugins) if (plugin.admit && plugin.handles(request)) await plugin.admit(request, rounds)
}

class ChainRounds implements Rounds {
  again = false
  wanted = false
  readonly #states = new Map<string, unknown>()

  wantAnother(): void {
    this.wanted = true
  }

  state<T>(plugin: string, make: () => T): T {
    if (!this.#states.has(plugin)) this.#states.set(plugin, make())
    return this.#states.get(plugin) as T
  }
}
