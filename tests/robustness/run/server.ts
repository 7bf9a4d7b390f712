import { type Deferred, deferred } from '../../../electron/base/async.ts'
import type { FaultyDisk } from '../disk/faulty-disk.ts'
import type { StoreClient } from '../host/host-process.ts'

/** What engines may do differently. */
export interface EngineTraits {
  /** Watchers from the compacted revision on are told of its deletions. */
  readonly keepsCompactedDeletes: boolean
  /** A request that was cut off may still be carried out after the store was started again. */
  readonly cutOffMayComeLate: boolean
}

/** A store that can be harmed. */
export interface Server extends AsyncDisposable {
  readonly traits: EngineTraits
  /** Past states can be read beyond compaction. */
  readonly keepsHistory: boolean
  /** Null where files cannot be harmed. */
  readonly disk: FaultyDisk | null
  /** The way to the store as it is now; it is asked for anew for each request. */
  readonly client: StoreClient
  /** Resolves when the store is open. */
  whenUp(): Promise<void>
  /** Rejects with why the store did not open. */
  start(): Promise<void>
  kill(): Promise<void>
  losePower(): Promise<void>
  /** Ends it in an orderly way; with `ms`, only so many milliseconds are given to it. */
  close(ms?: number): Promise<void>
  pause(): void
  resume(): void
  /** The end of what it said. */
  readonly log: string
}

/** Whether something is there, to be waited for again and again. */
export class Gate {
  #open: Deferred<void> = deferred()
  #isOpen = false

  get isOpen(): boolean {
    return this.#isOpen
  }

  wait(): Promise<void> {
    return this.#open.promise
  }

  open(): void {
    this.#isOpen = true
    this.#open.resolve()
  }

  shut(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#open = deferred()
  }
}
