/**
 * A controller as data: which objects concern it, and how it makes the world as one of them declares it. Keys name what is to be
 * reconciled; `reconcile` gets nothing but a key and reads the world anew from listers. Nothing here assumes to be the only writer:
 * writes carry the resource version or uid that they were decided on.
 */
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { Random } from '../../base/random.ts'
import type { Client } from '../../client/client.ts'
import type { Informer, Informers } from '../../client/informer.ts'
import type { ControllerOptions } from './options.ts'

export interface ControllerDescriptor {
  /** As kube-controller-manager names it: "deployment-controller". */
  readonly name: string
  /** Who its events are said to come from; by default its name. */
  readonly component?: string
  /** How many keys are worked on at a time. Default 5. */
  readonly workers?: number
  /** Null: what it needs was not given, so it does not run. Informers that it asks for here are read before it reconciles. */
  create(context: ControllerContext): Controller | null
}

export interface Controller {
  readonly watches: readonly Watch[]
  /** Throws to be called again after a growing delay; `TerminalError` says that trying again is no use. */
  reconcile(key: string): Promise<Outcome>
  /** Called once all informers have their first list, before the first `reconcile`. What `stack` holds is given back at the end. */
  start?(stack: AsyncDisposableStack): void
}

/** Nothing: done until something changes. `requeueAfter`: look again after so many milliseconds. */
export type Outcome = { readonly requeueAfter: number } | undefined

export interface ControllerContext {
  /** Its calls end when the controller is stopped. */
  readonly client: Client
  readonly informers: Informers
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly events: Events
  readonly queue: KeyQueue
  readonly options: ControllerOptions
  /** Aborts when the controller is stopped. */
  readonly signal: AbortSignal
}

/** An `EventRecorder`, as far as a controller needs it. */
export interface Events {
  event(regarding: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void
}

export interface KeyQueue {
  add(key: string): void
  /** After `ms` milliseconds; of several delays the shortest counts. */
  addAfter(key: string, ms: number): void
}

/** What became of an object. `old` is there with `update` only. */
export type Change<T extends KubeObject> =
  | { readonly type: 'add' | 'delete'; readonly object: T; readonly old?: undefined }
  | { readonly type: 'update'; readonly object: T; readonly old: T }

/** Which keys a change of one informer's objects touches. Made by `watch`. */
export interface Watch {
  /** Begins to hand keys to `add`, those of present objects too. */
  begin(add: (key: string) => void): Disposable
}

/** The keys may depend on anything in the change; what else is to be noted of it (expectations met) is noted here, too. */
export function watch<T extends KubeObject>(informer: Informer<T>, keys: (change: Change<T>) => Iterable<string>): Watch {
  return {
    begin(add) {
      const each = (change: Change<T>) => {
        for (const key of keys(change)) add(key)
      }
      return informer.on({
        add: (object) => each({ type: 'add', object }),
        update: (object, old) => each({ type: 'update', object, old }),
        delete: (object) => each({ type: 'delete', object }),
      })
    },
  }
}

export function defineController(descriptor: ControllerDescriptor): ControllerDescriptor {
  return Object.freeze(descriptor)
}

/** What no repetition mends: it is logged, and the key waits for its next change. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError'
}
