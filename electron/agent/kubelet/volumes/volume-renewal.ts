/** Keeps the files of pods' volumes true while they run: after a change of what they show, and before their tokens expire. */
import type { Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import type { Logger } from '../../../base/logger.ts'
import type { Pod } from '../../../api/core/v1/types.gen.ts'
import { podReference } from '../events.ts'
import type { EventSink } from '../events.ts'
import { podText } from '../pods/names.ts'
import type { PayloadInput } from './payload.ts'
import type { TokenCache } from './tokens.ts'
import { VolumesError } from './volume-manager.ts'
import type { VolumeManager } from './volume-manager.ts'

export interface VolumeRenewalDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly events: EventSink
  readonly volumes: VolumeManager
  readonly tokens: TokenCache
  /** The pod as it is wanted now; null if its volumes are no longer ours to keep. */
  readonly pod: (uid: string) => Pod | null
  readonly input: (pod: Pod) => PayloadInput
}

const RETRY = 10_000
const LOOK = 30_000

export class VolumeRenewal implements Disposable {
  readonly #deps: VolumeRenewalDeps
  readonly #timers = new Map<string, Disposable>()
  readonly #busy = new Set<string>()
  readonly #look: Disposable

  constructor(deps: VolumeRenewalDeps) {
    this.#deps = deps
    this.#look = deps.clock.setInterval(() => this.#renewTokens(), LOOK)
  }

  /** Soon; several calls are one. */
  renew(uid: string, delay = 0): void {
    this.#timers.get(uid)?.[Symbol.dispose]()
    this.#timers.set(
      uid,
      this.#deps.clock.setTimeout(() => void this.#run(uid), delay),
    )
  }

  [Symbol.dispose](): void {
    this.#look[Symbol.dispose]()
    for (const timer of this.#timers.values()) timer[Symbol.dispose]()
    this.#timers.clear()
  }

  #renewTokens(): void {
    const now = this.#deps.clock.now()
    for (const uid of this.#deps.tokens.due(now)) this.renew(uid)
  }

  async #run(uid: string): Promise<void> {
    this.#timers.delete(uid)
    const { volumes, events, logger } = this.#deps
    const pod = this.#deps.pod(uid)
    if (!pod) return
    if (this.#busy.has(uid)) return this.renew(uid, 100)
    this.#busy.add(uid)
    try {
      await volumes.refresh(this.#deps.input(pod))
    } catch (error) {
      if (error instanceof VolumesError) {
        for (const { volume, message } of error.failures)
          events.event(podReference(pod), 'Warning', 'FailedMount', `MountVolume.SetUp failed for volume "${volume}" : ${message}`)
      }
      logger.info('the volumes of a pod could not be renewed', { pod: podText(pod), error: messageOf(error) })
      this.renew(uid, RETRY)
    } finally {
      this.#busy.delete(uid)
    }
  }
}
