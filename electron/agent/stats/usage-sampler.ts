/** What containers use, measured when somebody asks, and not more often than it is worth. */
import type { Clock } from '../../base/clock.ts'
import type { ContainerUsage } from '../runtime/cri-types.ts'
import type { Cri } from '../runtime/cri.ts'

export interface MeasuredUsage extends ContainerUsage {
  /** Billionths of a core, over the time since the measurement before; null until there are two. */
  readonly nanoCores: number | null
}

/** Milliseconds that a measurement is good for. */
const FRESH = 5000
/** Two measurements must be this far apart to say how fast. */
const APART = 1000

export class UsageSampler {
  readonly #cri: Cri
  readonly #clock: Clock
  #last: { at: number; usages: Map<string, MeasuredUsage> } | null = null
  #running: Promise<ReadonlyMap<string, MeasuredUsage>> | null = null

  constructor(deps: { cri: Cri; clock: Clock }) {
    this.#cri = deps.cri
    this.#clock = deps.clock
  }

  /** By container id. */
  async measure(): Promise<ReadonlyMap<string, MeasuredUsage>> {
    if (this.#last && this.#clock.monotonic() - this.#last.at < freshness(this.#last.usages)) return this.#last.usages
    this.#running ??= this.#measure().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  async #measure(): Promise<ReadonlyMap<string, MeasuredUsage>> {
    const before = this.#last?.usages
    const usages = new Map<string, MeasuredUsage>()
    for (const usage of await this.#cri.usages()) usages.set(usage.id, { ...usage, nanoCores: speed(usage, before?.get(usage.id)) })
    this.#last = { at: this.#clock.monotonic(), usages }
    return usages
  }
}

/** Speeds that are still missing are worth a second measurement as soon as it can tell them. */
function freshness(usages: ReadonlyMap<string, MeasuredUsage>): number {
  return [...usages.values()].some(({ nanoCores }) => nanoCores === null) ? APART : FRESH
}

/** CPU time per time. What was measured too close together keeps its figure. */
export function speed(
  now: { readonly at: number; readonly cpuNanoSeconds: number },
  before: { readonly at: number; readonly cpuNanoSeconds: number; readonly nanoCores: number | null } | undefined,
): number | null {
  if (!before || now.cpuNanoSeconds < before.cpuNanoSeconds) return null
  const elapsed = now.at - before.at
  if (elapsed < APART) return before.nanoCores
  return Math.round(((now.cpuNanoSeconds - before.cpuNanoSeconds) / elapsed) * 1000)
}
