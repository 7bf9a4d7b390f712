import { type Clock, sleep } from '../../../electron/base/clock.ts'
import { StoreError, type Watcher, type WatchRequest } from '../../../electron/store/store.ts'
import type { History, WatchRecord } from '../history.ts'
import type { WatchIntent } from '../schedule/intents.ts'
import type { Server } from './server.ts'

/** Between the end of a watch and the next, in milliseconds, when the store ended it. */
const PAUSE = 5

export interface WatchingDeps {
  readonly name: string
  readonly history: History
  readonly server: Server
  readonly clock: Clock
}

/** Watches, stops and watches again as planned, until it has come to the goal. */
export class WatchingClient {
  readonly #deps: WatchingDeps
  #goal: number | null = null
  #current: Watcher | null = null
  /** The newest revision up to which it was told everything it wanted. */
  position = 0

  constructor(deps: WatchingDeps) {
    this.#deps = deps
  }

  /** Ends when everything up to `revision` has been told, which is the newest. */
  finishAt(revision: number): void {
    this.#goal = revision
    this.#current?.requestProgress()
  }

  async run(plan: readonly WatchIntent[]): Promise<void> {
    for (let i = 0; !this.#finished(); i++) {
      const intent = plan[i % plan.length] as WatchIntent
      await this.#deps.server.whenUp()
      await this.#stretch(intent)
    }
  }

  #finished(): boolean {
    return this.#goal !== null && this.position >= this.#goal
  }

  async #stretch(intent: WatchIntent): Promise<void> {
    const { name, history, server, clock } = this.#deps
    const request = this.#requestOf(intent)
    const record = history.watch(name, request)
    const watcher = server.client.watch(request)
    this.#current = watcher
    const marks = clock.setInterval(() => watcher.requestProgress(), intent.markMs)
    watcher.created.then(
      ({ revision }) => (record.created = { revision, at: history.now() }),
      () => undefined,
    )
    try {
      await this.#read(watcher, record, intent.batches)
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      record.ending = error.code
      if (error.code === 'compacted') this.position = Math.max(this.position, (error.compactRevision ?? 1) - 1)
    } finally {
      record.ended = history.now()
      marks[Symbol.dispose]()
      await watcher[Symbol.asyncDispose]()
      if (record.ending !== null) await sleep(clock, PAUSE)
    }
  }

  async #read(watcher: Watcher, record: WatchRecord, batches: number): Promise<void> {
    const { history } = this.#deps
    for await (const batch of watcher) {
      record.batches.push({ at: history.now(), batch })
      history.tell(batch.revision)
      this.position = Math.max(this.position, batch.revision)
      if (this.#finished() || (this.#goal === null && record.batches.length >= batches)) return
    }
  }

  #requestOf({ key, end, from, prevKv, filter }: WatchIntent): WatchRequest {
    const { history } = this.#deps
    const range = { key, ...(end === undefined ? {} : { end }) }
    const wanted = from === 'now' ? 0 : from === 'resume' ? this.position + 1 : Math.max(1, history.newest - from.back)
    // In the end it goes on from where it is, because that comes to an end.
    const startRevision = this.#goal === null ? wanted : this.position + 1
    return { ...range, startRevision, prevKv, ...(filter ? { filter: { [filter]: true } } : {}) }
  }
}
