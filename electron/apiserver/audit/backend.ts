/** Where events go, and what becomes known when they do not get there. */
import type { Logger } from '../../base/logger.ts'

export interface Backend extends AsyncDisposable {
  /** "log" or "webhook": the label in metrics. */
  readonly name: string
  /** Takes one event as JSON on one line; never throws and never waits. */
  write(event: string): void
}

/** Counts what could not be delivered. Each backend's trouble is logged once, and its end once. */
export class Losses {
  readonly #logger: Logger
  readonly #counts = new Map<string, number>()
  readonly #troubled = new Set<string>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#counts
  }

  lost(backend: string, events: number, error: unknown): void {
    this.#counts.set(backend, (this.#counts.get(backend) ?? 0) + events)
    if (this.#troubled.has(backend)) return
    this.#troubled.add(backend)
    this.#logger.error('audit events are lost; requests go on', { backend, error })
  }

  kept(backend: string): void {
    if (!this.#troubled.delete(backend)) return
    this.#logger.info('audit events are delivered again', { backend, lost: this.#counts.get(backend) })
  }
}
