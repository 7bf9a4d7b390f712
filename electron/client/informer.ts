/**
 * The informer's contract: a local copy of one kind, kept true by list and watch.
 *
 * - Handlers are called one after the other, in the order of the changes; a handler added late gets every present object as `add`.
 * - Of several changes between two calls a handler may see only the last (level-triggered), but never a state older than one it saw.
 * - After a lost connection the informer lists anew and hands out the difference; `delete` may then carry the last known state.
 * - Reads answer from the copy: they may lag behind the server and never go back.
 * - Objects are shared and frozen.
 */
import type { Component } from '../base/lifecycle.ts'
import type { AnyKind, Kind } from '../api/kind.ts'
import type { KubeObject } from '../api/meta/v1/object.ts'

export interface InformerHandler<T> {
  add?(object: T): void
  update?(object: T, old: T): void
  delete?(object: T): void
}

export interface Lister<T extends KubeObject> {
  /** `namespace` is undefined for cluster-scoped kinds. */
  get(namespace: string | undefined, name: string): T | undefined
  /** All, or those of one namespace; in no particular order. */
  list(namespace?: string): readonly T[]
  byIndex(index: string, value: string): readonly T[]
}

export interface Informer<T extends KubeObject = KubeObject> extends Lister<T> {
  readonly kind: Kind<T>
  /** Whether the first list has been handed to all handlers. */
  readonly synced: boolean
  /** Resolves when `synced`; rejects if the informer is disposed before. */
  whenSynced(signal?: AbortSignal): Promise<void>
  /** Since when the copy has not been kept true, in milliseconds since the epoch; null while the watch is up. */
  readonly staleSince: number | null
  /** Must be called before the informer starts. */
  addIndex(name: string, values: (object: T) => readonly string[]): void
  on(handler: InformerHandler<T>): Disposable
}

export interface InformerOptions {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
}

/** One informer per kind and options, shared by all who ask. `start` starts all and waits for their first lists; later ones start when asked for. */
export interface Informers extends Component {
  for<T extends KubeObject>(kind: Kind<T>, options?: InformerOptions): Informer<T>
  /** Ends the informers of a kind that is no longer served. */
  release(kind: AnyKind): void
  readonly kinds: readonly AnyKind[]
  /** Tries lost watches again without waiting on: for who knows that the server is back. */
  retryNow(): void
}
