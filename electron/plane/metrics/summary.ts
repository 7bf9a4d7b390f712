/** From an agent's /stats/summary to samples. Source: k8s.io/kubelet stats/v1alpha1. */
import type { Sample } from './series.ts'

interface Measured {
  readonly cpu?: { readonly usageNanoCores?: number }
  readonly memory?: { readonly workingSetBytes?: number }
}
interface Network {
  readonly rxBytes?: number
  readonly txBytes?: number
}

export interface Summary {
  readonly node: Measured & { readonly network?: Network; readonly fs?: { readonly usedBytes?: number } }
  readonly pods: readonly (Measured & {
    readonly podRef: { readonly name: string; readonly namespace: string; readonly uid: string }
    readonly containers: readonly (Measured & { readonly name: string; readonly rootfs?: { readonly usedBytes?: number } })[]
    readonly network?: Network
    readonly 'ephemeral-storage'?: { readonly usedBytes?: number }
  })[]
}

const NANO = 1e9
/** Counters that were read longer ago tell no speed, milliseconds. */
const STALE = 120_000

/** Turns counters of bytes into speeds. A counter that went back began anew. */
export class Speeds {
  #known = new Map<string, { readonly at: number; readonly value: number }>()

  /** Bytes a second since the last time; undefined for the first. `at`: milliseconds of a clock that only goes on. */
  of(key: string, at: number, value: number | undefined): number | undefined {
    if (value === undefined) return undefined
    const before = this.#known.get(key)
    this.#known.set(key, { at, value })
    if (!before || value < before.value || at <= before.at || at - before.at > STALE) return undefined
    return ((value - before.value) / (at - before.at)) * 1000
  }

  forget(before: number): void {
    for (const [key, { at }] of this.#known) if (at < before) this.#known.delete(key)
  }
}

export function sampleOf(measured: Measured, more: Sample = {}): Sample {
  const { cpu, memory } = measured
  return {
    ...(cpu?.usageNanoCores === undefined ? {} : { cpu: cpu.usageNanoCores / NANO }),
    ...(memory?.workingSetBytes === undefined ? {} : { memory: memory.workingSetBytes }),
    ...more,
  }
}

/** Field by field; what one of them lacks does not count. */
export function sum(samples: readonly Sample[]): Sample {
  const total: Record<string, number> = {}
  for (const sample of samples) for (const [field, value] of Object.entries(sample)) total[field] = (total[field] ?? 0) + value
  return total
}
