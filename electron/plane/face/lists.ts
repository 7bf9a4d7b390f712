/** The `lists.*` channels: windows on the live index. */
import type { AnyKind } from '../../api/kind.ts'
import { sleep, type Clock } from '../../base/clock.ts'
import { deferred, type Deferred } from '../../base/async.ts'
import type { Random } from '../../base/random.ts'
import type { Client } from '../../client/client.ts'
import type { UpOf } from '../../contracts/channel.ts'
import type { Channels } from '../../contracts/channels.ts'
import { bare } from '../../contracts/lists/facts.ts'
import { listFacts } from '../../contracts/lists/kinds.ts'
import type { ListRow, ListView } from '../../contracts/list-channels.ts'
import type { Handlers } from '../../contracts/server.ts'
import { LiveIndex } from '../live/live-index.ts'
import { printedCells, printedColumns } from '../live/printed.ts'
import { summarize } from '../live/summary.ts'
import type { ListTable, Row } from '../live/table.ts'
import { isRow, rowOf, View } from '../live/view.ts'

type Stream<K extends keyof Channels> = Parameters<Handlers<Channels>[K]>[1]
type RowStream = Extract<Stream<'lists.rows'>, AsyncIterable<unknown>>
type Ask = Extract<UpOf<Channels['lists.rows']>, { type: 'ask' }>

/** Milliseconds between two changes that a window is told of. */
const PERIOD_MS = 100
/** Milliseconds between two summaries. */
const SUMMARY_MS = 1000
/** Uids of deleted objects that are told at the most at once. */
const GONE = 10_000

export function listHandlers(deps: {
  client: Client
  clock: Clock
  random: Random
  kinds: readonly AnyKind[]
}): Pick<Handlers<Channels>, 'lists.rows' | 'lists.pods'> {
  const index = new LiveIndex(deps)
  const { clock } = deps
  return {
    async 'lists.rows'({ view, ...named }, duplex) {
      using held = await index.open(named)
      await new RowSession(held.table, index, duplex, clock).run(view)
    },
    async 'lists.pods'({ namespace }, duplex) {
      using held = await index.open({ group: '', version: 'v1', resource: 'pods' })
      const { table } = held
      let changed = deferred<void>()
      const onChange = () => changed.resolve()
      using _listening = table.on({ ready: onChange, changed: onChange, failed: (error) => changed.reject(error) })
      duplex.signal.addEventListener('abort', onChange, { once: true })
      while (!duplex.signal.aborted) {
        await changed.promise
        changed = deferred<void>()
        if (!table.synced) continue
        await duplex.send(await summarize(table, index.owners, namespace, clock))
        await sleep(clock, SUMMARY_MS, duplex.signal)
      }
    },
  }
}

/** One window on one table. */
class RowSession {
  readonly #table: ListTable
  readonly #index: LiveIndex
  readonly #duplex: RowStream
  readonly #clock: Clock
  /** What the window has of the rows in view. */
  #sent = new Map<string, { readonly object: unknown; readonly trouble: unknown }>()
  #order = ''
  #gone: string[] = []
  #seq = 0
  #asked = true
  #more = true
  #told = -PERIOD_MS
  #columnsSent = false
  #wake: Deferred<void> = deferred()
  readonly #asks: Ask[] = []
  #failure: { readonly error: unknown } | null = null
  #stale: { readonly since: string; readonly why: string } | null = null

  constructor(table: ListTable, index: LiveIndex, duplex: RowStream, clock: Clock) {
    this.#table = table
    this.#index = index
    this.#duplex = duplex
    this.#clock = clock
  }

  async run(first: ListView): Promise<void> {
    using view = new View(this.#table, this.#index.owners, first, this.#clock, (gone) => {
      if (gone !== null && this.#gone.length < GONE) this.#gone.push(gone)
      this.#wake.resolve()
    })
    using _listening = this.#table.on({
      changed: () => undefined,
      ready: () => {
        this.#asked = true
        this.#wake.resolve()
      },
      stale: (since, why) => {
        this.#stale = { since, why }
        this.#wake.resolve()
      },
      failed: (error) => {
        this.#failure = { error }
        this.#wake.resolve()
      },
    })
    const { signal } = this.#duplex
    signal.addEventListener('abort', () => this.#wake.resolve(), { once: true })
    const reading = this.#read(view)
    while (!signal.aborted) await this.#step(view)
    await reading
  }

  /** Does the one thing that is most due, or waits for something to do. */
  async #step(view: View): Promise<void> {
    if (this.#failure) throw this.#failure.error
    if (this.#stale) {
      const stale = this.#stale
      this.#stale = null
      return this.#duplex.send({ type: 'stale', ...stale })
    }
    if (!this.#table.synced) return this.#pause(null)
    if (this.#asked) return this.#tell(view)
    const [ask] = this.#asks.splice(0, 1)
    if (ask) return this.#answer(view, ask)
    if (!view.dirty || !this.#more) return this.#pause(null)
    const due = this.#told + PERIOD_MS - this.#clock.monotonic()
    return due > 0 ? this.#pause(due) : this.#tell(view)
  }

  /** Until something comes, or for so many milliseconds. */
  async #pause(ms: number | null): Promise<void> {
    const wake = deferred<void>()
    this.#wake = wake
    using _timer = ms === null ? null : this.#clock.setTimeout(() => wake.resolve(), ms)
    await wake.promise
  }

  async #read(view: View): Promise<void> {
    for await (const { value } of this.#duplex) {
      if (value.type === 'ask') this.#asks.push(value)
      else if (value.type === 'more') this.#more = true
      else {
        view.set(value.view)
        this.#seq = value.seq
        this.#asked = true
      }
      this.#wake.resolve()
    }
  }

  async #tell(view: View): Promise<void> {
    this.#asked = false
    // A view that is set while the order is made is answered by the next.
    const seq = this.#seq
    while (view.dirty && seq === this.#seq) await view.settle()
    if (seq !== this.#seq) return
    const { entries, from, ...counts } = view.window()
    const order = entries.map((entry) => (isRow(entry) ? entry.uid : entry))
    const orderText = JSON.stringify([from, order])
    const sameOrder = orderText === this.#order
    this.#order = orderText
    const sent = new Map<string, { object: unknown; trouble: unknown }>()
    const rows: ListRow[] = []
    for (const entry of entries) {
      if (!isRow(entry)) continue
      const known = this.#sent.get(entry.uid)
      const trouble = this.#table.facts.hasPods ? this.#index.owners.worst(entry.uid) : undefined
      if (known?.object === entry.object && known.trouble === trouble) sent.set(entry.uid, known)
      else {
        sent.set(entry.uid, { object: entry.object, trouble })
        rows.push(this.#rowOf(entry))
      }
    }
    this.#sent = sent
    const gone = this.#gone
    this.#gone = []
    this.#more = false
    this.#told = this.#clock.monotonic()
    const columns = this.#prints && !this.#columnsSent ? { columns: printedColumns(this.#table.kind) } : {}
    this.#columnsSent = true
    await this.#duplex.send({
      type: 'rows',
      seq,
      ...counts,
      chips: { ...counts.chips },
      from,
      rows,
      gone,
      ...columns,
      ...(sameOrder ? {} : { order }),
    })
  }

  async #answer(view: View, { id, keys, from, to, form }: Ask): Promise<void> {
    while (view.dirty) await view.settle()
    const found = keys ? view.rowsOf(keys) : view.rowsBetween(from, to)
    const rows = form === 'keys' ? [] : found.map((row) => (form === 'bare' ? { object: bare(row.object) } : this.#rowOf(row)))
    await this.#duplex.send({ type: 'answer', id, keys: found.map((row) => row.uid), rows })
  }

  get #prints(): boolean {
    const { group, resource } = this.#table.kind
    return listFacts(group, resource) === undefined
  }

  #rowOf({ object }: Row): ListRow {
    const row = rowOf(object, this.#table, this.#index.owners)
    return this.#prints ? { ...row, cells: printedCells(this.#table.kind, object, this.#clock.now()) } : row
  }
}
