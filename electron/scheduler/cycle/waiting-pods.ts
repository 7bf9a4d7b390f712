/** Pods that Permit plugins hold between their placement and their binding. Source: `scheduler/framework/runtime/waiting_pods_map.go`. */
import type { Clock } from '../../base/clock.ts'
import { deferred } from '../../base/async.ts'
import { unschedulable, type Result } from '../framework/status.ts'

interface Waiting {
  /** Plugins whose leave is missing, with what ends their patience. */
  readonly plugins: Map<string, Disposable>
  readonly settle: (status: Result) => void
}

/** No plugin can hold a pod longer, in milliseconds. */
const LONGEST = 15 * 60_000

export class WaitingPods {
  readonly #clock: Clock
  readonly #waiting = new Map<string, Waiting>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves with null when all plugins have given leave, else with the refusal of one, or of the one whose time ran out first. */
  async wait(uid: string, waits: ReadonlyMap<string, number>): Promise<Result> {
    if (waits.size === 0) return null
    const decided = deferred<Result>()
    const plugins = new Map<string, Disposable>()
    const settle = (status: Result) => {
      if (!this.#waiting.delete(uid)) return
      for (const timer of plugins.values()) timer[Symbol.dispose]()
      decided.resolve(status)
    }
    for (const [plugin, timeout] of waits) {
      const late = () => settle(unschedulable(plugin, [`rejected due to timeout after waiting ${timeout} ms at plugin ${plugin}`]))
      plugins.set(plugin, this.#clock.setTimeout(late, Math.min(timeout, LONGEST)))
    }
    this.#waiting.set(uid, { plugins, settle })
    return decided.promise
  }

  /** False if the pod does not wait for this plugin. */
  allow(uid: string, plugin: string): boolean {
    const pod = this.#waiting.get(uid)
    const timer = pod?.plugins.get(plugin)
    if (!pod || !timer) return false
    timer[Symbol.dispose]()
    pod.plugins.delete(plugin)
    if (pod.plugins.size === 0) pod.settle(null)
    return true
  }

  /** False if the pod does not wait. */
  reject(uid: string, plugin: string, message: string): boolean {
    const pod = this.#waiting.get(uid)
    pod?.settle(unschedulable(plugin, [message]))
    return pod !== undefined
  }

  rejectAll(message: string): void {
    for (const { settle } of [...this.#waiting.values()]) settle(unschedulable('', [message]))
  }
}
