import type {
  Compare,
  Key,
  KeyRange,
  KeyValue,
  LeaseId,
  Op,
  OpResponse,
  RangeRequest,
  StoreErrorCode,
  StoreEvent,
  TxnRequest,
  WatchRequest,
} from '../store.ts'
import { text, type Traits } from './subject.ts'

type State = ReadonlyMap<Key, KeyValue>

/** Thrown by the model where the store must fail with this code. */
export class ModelError extends Error {
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode) {
    super(code)
    this.code = code
  }
}

/**
 * The store as simply as one can say it: the whole state of every revision, and the events that led to it. Written from the contract
 * and from etcd's documented behaviour, without a look at the engines.
 */
export class StoreModel {
  readonly base: number
  compactRevision = 0
  readonly leases = new Set<LeaseId>()
  #revision: number
  readonly #keepsCompactedDeletes: boolean
  readonly #states = new Map<number, State>()
  readonly #events = new Map<number, StoreEvent[]>()

  constructor(base: number, { keepsCompactedDeletes }: Pick<Traits, 'keepsCompactedDeletes'>) {
    this.base = base
    this.#keepsCompactedDeletes = keepsCompactedDeletes
    this.#revision = base
    this.#states.set(base, new Map())
  }

  get revision(): number {
    return this.#revision
  }

  range(request: RangeRequest): { revision: number; kvs: KeyValue[]; count: number; more: boolean } {
    this.#checkRevision(request.revision)
    return rangeOf(this.#state(request.revision || this.#revision), request, this.#revision)
  }

  txn(request: TxnRequest): { succeeded: boolean; revision: number; responses: OpResponse[] } {
    checkDuplicates(request.success)
    checkDuplicates(request.failure ?? [])
    const before = this.#state(this.#revision)
    const draft = new Map(before)
    const events: StoreEvent[] = []
    const run = (txn: TxnRequest): { succeeded: boolean; responses: OpResponse[] } => {
      const succeeded = (txn.compare ?? []).every((compare) => holds(before, compare))
      return { succeeded, responses: (succeeded ? txn.success : (txn.failure ?? [])).map((op) => apply(op)) }
    }
    const now = () => this.#revision + (events.length > 0 ? 1 : 0)
    const apply = (op: Op): OpResponse => {
      switch (op.type) {
        case 'range':
          this.#checkRevision(op.revision)
          return { type: 'range', ...rangeOf(op.revision ? this.#state(op.revision) : draft, op, now()) }
        case 'txn': {
          const result = run(op)
          return { type: 'txn', ...result, revision: now() }
        }
        case 'delete': {
          const gone = inRange(draft, op)
          for (const kv of gone) {
            draft.delete(kv.key)
            events.push({ type: 'delete', kv: tombstone(kv.key, this.#revision + 1), prevKv: kv })
          }
          return { type: 'delete', deleted: gone.length, prevKvs: op.prevKv ? gone : [] }
        }
        case 'put': {
          const old = draft.get(op.key)
          if ((op.ignoreValue || op.ignoreLease) && !old) throw new ModelError('keyNotFound')
          const lease = op.ignoreLease && old ? old.lease : (op.lease ?? 0n)
          if (lease !== 0n && !this.leases.has(lease)) throw new ModelError('leaseNotFound')
          const kv: KeyValue = {
            key: op.key,
            value: op.ignoreValue && old ? old.value : op.value,
            createRevision: old?.createRevision ?? this.#revision + 1,
            modRevision: this.#revision + 1,
            version: (old?.version ?? 0) + 1,
            lease,
          }
          draft.set(op.key, kv)
          events.push({ type: 'put', kv, ...(old ? { prevKv: old } : {}) })
          return op.prevKv && old ? { type: 'put', prevKv: old } : { type: 'put' }
        }
      }
    }
    const result = run(request)
    if (events.length > 0) this.#commit(draft, events)
    return { ...result, revision: this.#revision }
  }

  grant(id: LeaseId): void {
    if (this.leases.has(id)) throw new ModelError('leaseExists')
    this.leases.add(id)
  }

  revoke(id: LeaseId): { revision: number } {
    if (!this.leases.has(id)) throw new ModelError('leaseNotFound')
    const keys = this.keysOf(id)
    if (keys.length > 0) this.txn({ success: keys.map((key) => ({ type: 'delete', key })) })
    this.leases.delete(id)
    return { revision: this.#revision }
  }

  keysOf(id: LeaseId): Key[] {
    return sortedKvs(this.#state(this.#revision))
      .filter((kv) => kv.lease === id)
      .map(({ key }) => key)
  }

  compact(revision: number): void {
    if (revision > this.#revision) throw new ModelError('futureRevision')
    if (revision <= this.compactRevision) throw new ModelError('compacted')
    this.compactRevision = revision
  }

  /** What a watcher of this request must have seen by now, without its progress marks. */
  watch(request: WatchRequest & { startRevision: number }): { revision: number; events: StoreEvent[] }[] {
    if (request.startRevision < this.compactRevision) throw new ModelError('compacted')
    const batches: { revision: number; events: StoreEvent[] }[] = []
    for (let revision = request.startRevision; revision <= this.#revision; revision++) {
      const events = (this.#events.get(revision) ?? [])
        .filter(({ type }) => !(type === 'put' ? request.filter?.noPut : request.filter?.noDelete))
        .filter(({ kv }) => within(request, kv.key))
        .filter(({ type }) => type === 'put' || revision > this.compactRevision || this.#keepsCompactedDeletes)
        .map(({ prevKv, ...event }) => ({ ...event, ...(prevKv && request.prevKv && revision > this.compactRevision ? { prevKv } : {}) }))
      if (events.length > 0) batches.push({ revision, events })
    }
    return batches
  }

  #checkRevision(revision: number | undefined): void {
    if (!revision) return
    if (revision > this.#revision) throw new ModelError('futureRevision')
    if (revision < this.compactRevision) throw new ModelError('compacted')
  }

  #state(revision: number): State {
    return this.#states.get(revision) ?? new Map()
  }

  #commit(state: State, events: StoreEvent[]): void {
    this.#revision++
    this.#states.set(this.#revision, state)
    this.#events.set(this.#revision, events)
  }
}

function within(range: KeyRange, key: Key): boolean {
  return range.end === undefined ? key === range.key : key >= range.key && (range.end === '\0' || key < range.end)
}

function sortedKvs(state: State): KeyValue[] {
  return [...state.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
}

function inRange(state: State, range: KeyRange): KeyValue[] {
  return sortedKvs(state).filter(({ key }) => within(range, key))
}

function tombstone(key: Key, revision: number): KeyValue {
  return { key, value: new Uint8Array(0), createRevision: 0, modRevision: revision, version: 0, lease: 0n }
}

function rangeOf(state: State, request: RangeRequest, revision: number) {
  const all = inRange(state, request)
  let kvs = all.filter(
    (kv) =>
      kv.modRevision >= (request.minModRevision ?? 0) &&
      kv.modRevision <= (request.maxModRevision || Infinity) &&
      kv.createRevision >= (request.minCreateRevision ?? 0) &&
      kv.createRevision <= (request.maxCreateRevision || Infinity),
  )
  if (request.sort) {
    const { target, order } = request.sort
    const of = (kv: KeyValue) =>
      ({ key: kv.key, version: kv.version, create: kv.createRevision, mod: kv.modRevision, value: text(kv.value) })[target]
    const sign = order === 'ascend' ? 1 : -1
    kvs = kvs.toSorted((a, b) => (of(a) < of(b) ? -sign : of(a) > of(b) ? sign : 0))
  }
  const more = !request.countOnly && kvs.length > (request.limit || Infinity)
  kvs = request.countOnly ? [] : kvs.slice(0, request.limit || Infinity)
  if (request.keysOnly) kvs = kvs.map((kv) => ({ ...kv, value: new Uint8Array(0) }))
  return { revision, kvs, count: all.length, more }
}

function holds(state: State, compare: Compare): boolean {
  const kvs = inRange(state, compare)
  if (kvs.length === 0 && compare.target === 'value') return false
  return (kvs.length > 0 ? kvs : [tombstone(compare.key, 0)]).every((kv) => {
    const pairs = { version: kv.version, create: kv.createRevision, mod: kv.modRevision, lease: kv.lease, value: text(kv.value) }
    const left = pairs[compare.target]
    const right = compare.target === 'value' ? text(compare.operand) : compare.operand
    return { equal: left === right, notEqual: left !== right, greater: left > right, less: left < right }[compare.result]
  })
}

/** Every way through the operations, as lists of puts and deletes; none may touch a put key twice. */
function checkDuplicates(ops: readonly Op[]): void {
  const ways = (list: readonly Op[]): Op[][] =>
    list.reduce<Op[][]>(
      (found, op) => {
        const own = op.type === 'txn' ? [...ways(op.success), ...ways(op.failure ?? [])] : [[op]]
        return found.flatMap((way) => own.map((more) => [...way, ...more]))
      },
      [[]],
    )
  for (const way of ways(ops)) {
    way.forEach((op, i) => {
      if (op.type !== 'put') return
      const again = way.some(
        (other, j) => i !== j && ((other.type === 'put' && other.key === op.key) || (other.type === 'delete' && within(other, op.key))),
      )
      if (again) throw new ModelError('duplicateKey')
    })
  }
}
