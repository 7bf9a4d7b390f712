/**
 * One window on the live index: the lines in view and the numbers of all the others. Changes are shown once a frame, and only then are
 * more asked for. When the connection breaks, what was seen last stays, marked stale.
 */
import { shallowRef, triggerRef } from 'vue'
import type { ListColumnSpec, ListGroup, ListRow, ListRows, ListView } from '../../../electron/contracts/list-channels.ts'
import type { Face } from '../face/face.ts'
import { FaceFailure, failureOf, isLost, LOST } from '../face/failure.ts'
import { after, nextFrame, wallClock } from '../time/clock.ts'
import { t } from '../i18n/index.ts'
import type { LiveState, Schedule } from './live-query.ts'
import type { Resource } from './resources.ts'

/** A line of a list: a row, or the head of a group. */
export type ListLine =
  (ListRow & { readonly key: string; readonly group?: undefined }) | { readonly key: string; readonly group: ListGroup }

export interface ListPageState {
  readonly total: number
  readonly matching: number
  readonly lines: number
  readonly waiting: number
  readonly chips: Readonly<Record<string, number>>
  /** Index of the first of `window`. */
  readonly from: number
  readonly window: readonly ListLine[]
}

export const EMPTY_PAGE: ListPageState = { total: 0, matching: 0, lines: 0, waiting: 0, chips: {}, from: 0, window: [] }

interface Answer {
  readonly keys: readonly string[]
  readonly rows: readonly ListRow[]
}
interface Waiting {
  resolve(answer: Answer): void
  reject(error: unknown): void
}
export interface Ask {
  readonly form: 'keys' | 'bare' | 'rows'
  readonly keys?: readonly string[]
  readonly from?: number
  readonly to?: number
}

const RETRY_MS = 5000
type Stream = ReturnType<typeof openRows>
const openRows = (face: Face, resource: Resource, view: ListView, signal: AbortSignal) =>
  face.open('lists.rows', { group: resource.group, version: resource.version, resource: resource.resource, view }, { signal })

export class LiveRows implements Disposable {
  readonly page = shallowRef<ListPageState>(EMPTY_PAGE)
  readonly state = shallowRef<LiveState>({ phase: 'loading' })
  readonly changedAt = shallowRef(0)
  /** What the server prints, where the UI has no columns of its own. */
  readonly columns = shallowRef<readonly ListColumnSpec[]>([])
  /** Uids that were deleted, told once. */
  onGone: (uids: readonly string[]) => void = () => undefined
  readonly #face: Face
  readonly #resource: Resource
  readonly #schedule: Schedule
  readonly #abort = new AbortController()
  readonly #reopen: Disposable
  readonly #waiting = new Map<number, Waiting>()
  #view: ListView
  #rows = new Map<string, ListLine>()
  #order: readonly (string | ListGroup)[] = []
  #stream: Stream | null = null
  #seq = 0
  #asks = 0
  #latest: ListRows | null = null
  #frame: Disposable | null = null
  #retry: Disposable | null = null

  constructor(face: Face, resource: Resource, view: ListView, schedule: Schedule = nextFrame) {
    this.#face = face
    this.#resource = resource
    this.#view = view
    this.#schedule = schedule
    this.#reopen = face.whenOpen(() => this.#start())
  }

  set(view: ListView): void {
    if (JSON.stringify(view) === JSON.stringify(this.#view)) return
    this.#view = view
    this.#seq++
    this.#send({ type: 'view', seq: this.#seq, view })
  }

  /** Rejects where there is no connection. */
  ask({ form, keys, from, to }: Ask): Promise<Answer> {
    const id = ++this.#asks
    return new Promise((resolve, reject) => {
      if (!this.#stream) return reject(new FaceFailure(LOST))
      this.#waiting.set(id, { resolve, reject })
      this.#send({
        ...{ type: 'ask', id, form },
        ...(keys ? { keys: [...keys] } : {}),
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
      })
    })
  }

  [Symbol.dispose](): void {
    this.#reopen[Symbol.dispose]()
    this.#frame?.[Symbol.dispose]()
    this.#retry?.[Symbol.dispose]()
    this.#abort.abort(new DOMException('nobody looks any more', 'AbortError'))
  }

  #send(message: Parameters<Stream['send']>[0]): void {
    // A stream that is over tells so where it is read.
    this.#stream?.send(message).catch(() => undefined)
  }

  #start(): void {
    this.#retry?.[Symbol.dispose]()
    if (!this.#stream && !this.#abort.signal.aborted) void this.#run()
  }

  async #run(): Promise<void> {
    this.#rows.clear()
    this.#order = []
    const asked = this.#seq
    try {
      const stream = openRows(this.#face, this.#resource, this.#view, this.#abort.signal)
      this.#stream = stream
      for await (const { value } of stream) {
        if (value.type === 'stale') this.#markStale(Date.parse(value.since), value.why)
        else if (value.type === 'answer') {
          this.#waiting.get(value.id)?.resolve(value)
          this.#waiting.delete(value.id)
        } else this.#take(value)
      }
      this.#markStale(wallClock(), t('live.ended'))
      this.#retry = after(RETRY_MS, () => this.#start())
    } catch (error) {
      this.#onFailure(error)
    } finally {
      this.#stream = null
      for (const waiting of this.#waiting.values()) waiting.reject(new FaceFailure(LOST))
      this.#waiting.clear()
      this.#seq = Math.max(asked, this.#seq)
    }
  }

  #take(update: ListRows): void {
    for (const row of update.rows) this.#rows.set(row.object.metadata.uid, { ...row, key: row.object.metadata.uid })
    if (update.order) this.#order = update.order
    if (update.columns) this.columns.value = update.columns
    if (update.gone.length) this.onGone(update.gone)
    this.#latest = update
    this.#frame ??= this.#schedule(() => {
      this.#frame = null
      this.#show()
      this.#send({ type: 'more' })
    })
  }

  #show(): void {
    if (!this.#latest) return
    const { total, matching, lines, waiting, chips, from } = this.#latest
    const there = new Map<string, ListLine>()
    const window: ListLine[] = []
    for (const entry of this.#order) {
      if (typeof entry !== 'string') {
        window.push({ key: `group:${entry.group}`, group: entry })
        continue
      }
      const line = this.#rows.get(entry)
      if (!line) continue
      there.set(entry, line)
      window.push(line)
    }
    this.#rows = there
    this.page.value = { total, matching, lines, waiting, chips, from, window }
    this.changedAt.value = wallClock()
    if (this.state.value.phase !== 'live') this.state.value = { phase: 'live' }
    else triggerRef(this.changedAt)
  }

  #markStale(since: number, why: string): void {
    if (this.state.value.phase === 'stale') return
    this.state.value = { phase: 'stale', since, why }
  }

  #onFailure(error: unknown): void {
    if (this.#abort.signal.aborted) return
    if (isLost(error)) {
      if (this.state.value.phase === 'live') this.#markStale(wallClock(), t('failure.lost.what'))
      return
    }
    const failure = failureOf(error, t('live.failed', { kind: this.#resource.resource }))
    if (failure) this.state.value = { phase: 'failed', failure }
    this.#retry = after(RETRY_MS, () => this.#start())
  }
}
