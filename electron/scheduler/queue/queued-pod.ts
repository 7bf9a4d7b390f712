import type { Queued } from '../framework/plugin.ts'
import type { PodInfo } from '../snapshot/pod-info.ts'

/** A pod that waits, with what its earlier attempts leave behind. Times are in milliseconds of the monotonic clock. */
export class QueuedPod implements Queued {
  info: PodInfo
  timestamp: number
  /** How often it was tried. */
  attempts = 0
  /** How often it was refused, and how often in a row it met a fault: what its back-off grows with. */
  refusals = 0
  faults = 0
  /** Plugins that refused it last; what they have registered for may let it be tried again. */
  rejectors: ReadonlySet<string> = NONE
  /** Of these, plugins that it waits for: what they hear of lets it be tried at once. */
  pending: ReadonlySet<string> = NONE
  /** The plugin that does not let it be tried. */
  gate: string | null = null

  constructor(info: PodInfo, now: number) {
    this.info = info
    this.timestamp = now
  }

  get uid(): string {
    return this.info.uid
  }

  /** Whether it came back because of a fault rather than a refusal. */
  get isFaulty(): boolean {
    return this.rejectors.size === 0 && this.pending.size === 0
  }
}

const NONE: ReadonlySet<string> = new Set()
