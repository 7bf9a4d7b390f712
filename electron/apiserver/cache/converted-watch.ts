/** A watch whose objects must be converted before they can be shown: it fetches its items from another one, and selects by fields itself. */
import { StatusError, internal } from '../../machinery/status.ts'
import { CacheWatch, Bookmark, type WatchItem } from './cache-watch.ts'
import type { Entry } from './entry.ts'
import { Frame } from './frame.ts'

export interface Conversion {
  /** Makes `view` of these possible. Throws StatusError. */
  prepare(entries: readonly Entry[]): Promise<void>
  view(entry: Entry): Entry
}

export class ConvertedWatch extends CacheWatch {
  readonly #from: CacheWatch
  readonly #conversion: Conversion
  /** Of what is shown, what is wanted; null: all. */
  readonly #wanted: ((entry: Entry) => boolean) | null
  #items: WatchItem[] = []
  #working = false
  #waker: (() => void) | null = null
  #failed: { readonly error: StatusError } | null = null

  /** `from` must not select by fields. */
  constructor(from: CacheWatch, conversion: Conversion, wanted: ((entry: Entry) => boolean) | null) {
    super({ prefix: '', matches: null }, 0, () => {})
    this.#from = from
    this.#conversion = conversion
    this.#wanted = wanted
  }

  override push(item: WatchItem): boolean {
    const wakes = this.#from.push(item)
    if (wakes) this.#from.flush()
    return false
  }

  override take(): readonly WatchItem[] {
    const items = this.#items
    this.#items = []
    return items
  }

  override onReady(wake: () => void): void {
    if (this.#items.length > 0 || this.end) return wake()
    this.#waker = wake
    this.#work()
  }

  override get end(): { readonly error: StatusError | null } | null {
    if (this.#failed) return this.#failed
    return this.#working || this.#items.length > 0 ? null : this.#from.end
  }

  override fail(error: StatusError | null): void {
    this.#from.fail(error)
  }

  override [Symbol.dispose](): void {
    this.#from[Symbol.dispose]()
  }

  /** One batch at a time, when someone waits for it. */
  #work(): void {
    if (this.#working) return
    this.#working = true
    this.#from.onReady(() => {
      void this.#convert(this.#from.take())
        .catch((error: unknown) => {
          this.#failed = { error: error instanceof StatusError ? error : internal(error) }
          this.#from[Symbol.dispose]()
        })
        .finally(() => {
          this.#working = false
          const wake = this.#waker
          if (this.#items.length === 0 && !this.end) return this.#work()
          this.#waker = null
          wake?.()
        })
    })
  }

  async #convert(items: readonly WatchItem[]): Promise<void> {
    const frames = items.filter((item) => !(item instanceof Bookmark))
    const before = this.#wanted ? frames.flatMap(({ previous }) => previous ?? []) : []
    await this.#conversion.prepare([...frames.map(({ entry }) => entry), ...before])
    for (const item of items) {
      const shown = item instanceof Bookmark ? item : this.#selected(item)
      if (shown) this.#items.push(shown)
    }
  }

  #selected(frame: Frame): Frame | null {
    const wanted = this.#wanted
    if (!wanted) return frame
    const { type, entry, previous } = frame
    const view = (one: Entry) => this.#conversion.view(one)
    const now = wanted(view(entry))
    if (type !== 'MODIFIED' || !previous) return now ? frame : null
    const before = wanted(view(previous))
    if (now) return before ? frame : new Frame('ADDED', entry)
    return before ? new Frame('DELETED', view(previous).at(entry.revision)) : null
  }
}
