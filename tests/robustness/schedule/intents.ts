import type { CompareResult, Key } from '../../../electron/store/store.ts'

/** Which lease of its own a client means: the last it was granted, the one before, and so on. */
export interface LeaseChoice {
  readonly back: number
}

/** What a compare asks for: what the client saw of the key last, or something that may hold or not. */
export type CompareIntent =
  | { readonly target: 'seenMod' | 'seenValue' | 'seenVersion'; readonly key: Key; readonly result: CompareResult }
  | { readonly target: 'exists' | 'missing'; readonly key: Key }
  | { readonly target: 'create'; readonly key: Key; readonly end: Key; readonly back: number; readonly result: CompareResult }
  | { readonly target: 'lease'; readonly key: Key; readonly lease: LeaseChoice; readonly result: CompareResult }

export type OpIntent =
  | {
      readonly type: 'put'
      readonly key: Key
      /** Bytes of its value, which no other put has. */
      readonly size: number
      readonly prevKv: boolean
      readonly lease: LeaseChoice | null
      readonly ignore: 'value' | 'lease' | null
    }
  | { readonly type: 'delete'; readonly key: Key; readonly end?: Key; readonly prevKv: boolean }
  | {
      readonly type: 'range'
      readonly key: Key
      readonly end?: Key
      /** How many revisions before the newest the client knows; null: now. */
      readonly back: number | null
      readonly limit: number
      readonly form: 'whole' | 'keys' | 'count' | 'byMod'
    }
  | {
      readonly type: 'txn'
      readonly compare: readonly CompareIntent[]
      readonly success: readonly OpIntent[]
      readonly failure: readonly OpIntent[]
    }

export type Intent =
  | OpIntent
  | { readonly type: 'grant'; readonly ttl: number }
  | { readonly type: 'keepAlive' | 'revoke' | 'timeToLive'; readonly lease: LeaseChoice }
  | { readonly type: 'leases' }
  | { readonly type: 'compact'; readonly back: number }

/** A watcher's plan for one stretch: where it begins, what it wants, and after how many batches it stops. */
export interface WatchIntent {
  readonly key: Key
  readonly end?: Key
  /** `now`, `resume` after the last revision seen, or so many revisions before the newest that anyone knows. */
  readonly from: 'now' | 'resume' | { readonly back: number }
  readonly prevKv: boolean
  readonly filter: 'noPut' | 'noDelete' | null
  readonly batches: number
  /** How often a progress mark is asked for, in milliseconds. */
  readonly markMs: number
}

/** What is done after an error of the disk, which the engine is not to be trusted with until it is opened again. */
export type Restart = 'kill' | 'losePower' | 'close'

/** Begins when so many requests have been answered. */
export type FaultIntent = { readonly after: number } & (
  | { readonly kind: 'kill' }
  | { readonly kind: 'losePower' }
  /** Power is lost again so many milliseconds after the next start began. */
  | { readonly kind: 'losePowerTwice'; readonly ms: number }
  | { readonly kind: 'close'; readonly then: 'reopen' | { readonly lossAfterMs: number } }
  | { readonly kind: 'pause'; readonly ms: number }
  | { readonly kind: 'syncError' | 'writeError'; readonly count: number; readonly then: Restart }
  | { readonly kind: 'full'; readonly room: number; readonly requests: number; readonly then: 'room' | Restart }
  | { readonly kind: 'slowDisk'; readonly micros: number; readonly requests: number }
  | { readonly kind: 'shortWrites'; readonly of256: number; readonly requests: number }
)

export type FaultKind = FaultIntent['kind']

export interface Schedule {
  readonly seed: number
  /** For each client, what it asks for, one after the other; what stands together is asked for at once. */
  readonly clients: readonly (readonly (readonly Intent[])[])[]
  /** For each watcher, its stretches, over and over again. */
  readonly watchers: readonly (readonly WatchIntent[])[]
  readonly faults: readonly FaultIntent[]
}
