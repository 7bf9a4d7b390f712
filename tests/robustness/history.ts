import type { Clock } from '../../electron/base/clock.ts'
import type {
  Lease,
  LeaseId,
  RangeRequest,
  RangeResponse,
  StoreErrorCode,
  TxnRequest,
  TxnResponse,
  WatchBatch,
  WatchRequest,
} from '../../electron/store/store.ts'

/** A request, and its answer if it was given one. */
export type Call =
  | { readonly type: 'range'; readonly request: RangeRequest; readonly answer?: RangeResponse }
  | { readonly type: 'txn'; readonly request: TxnRequest; readonly answer?: TxnResponse }
  | { readonly type: 'compact'; readonly revision: number; readonly answer?: true }
  | { readonly type: 'grant'; readonly id: LeaseId; readonly ttl: number; readonly answer?: { readonly ttl: number } }
  | { readonly type: 'keepAlive'; readonly id: LeaseId; readonly answer?: { readonly ttl: number } }
  | { readonly type: 'revoke'; readonly id: LeaseId; readonly answer?: { readonly revision: number } }
  | { readonly type: 'timeToLive'; readonly id: LeaseId; readonly answer?: Lease }
  | { readonly type: 'leases'; readonly answer?: readonly LeaseId[] }
  /** A range of the history, at a revision that may be compacted. */
  | { readonly type: 'past'; readonly request: RangeRequest & { readonly revision: number }; readonly answer?: RangeResponse }
  | { readonly type: 'check'; readonly answer?: readonly string[] }
  | { readonly type: 'defragment'; readonly answer?: true }
  | { readonly type: 'status'; readonly answer?: { readonly revision: number; readonly compactRevision: number; readonly keys: number } }

/** A moment: its place among all moments of the run, and milliseconds on the monotonic clock. */
export interface Moment {
  readonly order: number
  readonly ms: number
}

/** `unknown`: it was cut off, and may have been carried out or not. */
export type Ending = 'answered' | 'unknown' | StoreErrorCode

export interface Operation {
  readonly id: number
  readonly client: string
  readonly begun: Moment
  ended: Moment
  ending: Ending
  message: string
  call: Call
}

export interface WatchRecord {
  readonly id: number
  readonly client: string
  readonly request: WatchRequest
  readonly begun: Moment
  created: { readonly revision: number; readonly at: Moment } | null
  readonly batches: { readonly at: Moment; readonly batch: WatchBatch }[]
  /** How it ended, if it did not because it was stopped. */
  ending: StoreErrorCode | null
  ended: Moment | null
}

/** What every client saw, when. All clients are in one process, so that the moments have one order. */
export class History {
  readonly operations: Operation[] = []
  readonly watches: WatchRecord[] = []
  /** What was done to the store from outside. */
  readonly faults: { readonly at: Moment; readonly what: string }[] = []
  readonly #clock: Clock
  #order = 0
  /** The newest revision that anyone was told of. */
  newest = 1
  /** How many of the planned requests have been answered, in whatever way. */
  answered = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): Moment {
    return { order: ++this.#order, ms: this.#clock.monotonic() }
  }

  begin(client: string, call: Call): Operation {
    const begun = this.now()
    const never = { order: Number.POSITIVE_INFINITY, ms: Number.POSITIVE_INFINITY }
    const operation: Operation = { id: this.operations.length + 1, client, begun, ended: never, ending: 'unknown', message: '', call }
    this.operations.push(operation)
    return operation
  }

  end(operation: Operation, ending: Ending, message = ''): void {
    operation.ended = this.now()
    operation.ending = ending
    operation.message = message
  }

  watch(client: string, request: WatchRequest): WatchRecord {
    const record: WatchRecord = {
      id: this.watches.length + 1,
      client,
      request,
      begun: this.now(),
      created: null,
      batches: [],
      ending: null,
      ended: null,
    }
    this.watches.push(record)
    return record
  }

  /** Someone was told of a revision. */
  tell(revision = 0): void {
    this.newest = Math.max(this.newest, revision)
  }

  fault(what: string): void {
    this.faults.push({ at: this.now(), what })
  }
}

/** The newest revision that an answer tells of; 0 if it tells of none. */
export function revisionIn({ call, ending }: Operation): number {
  if (ending !== 'answered') return 0
  switch (call.type) {
    case 'range':
    case 'past':
    case 'txn':
    case 'revoke':
    case 'status':
      return call.answer?.revision ?? 0
    default:
      return 0
  }
}
