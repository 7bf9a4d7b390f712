/**
 * The connection to the app. It is made again by itself, with growing pauses; who holds a stream is told by its failure and opens
 * it anew when `state` says "open". Calls made while the connection is away wait for it a little.
 */
import { shallowRef, type ShallowRef } from 'vue'
import { createCaller, type Caller } from '../../../electron/contracts/caller.ts'
import type { ArgOf, CallsOf, DownOf, ResultOf, StreamsOf, UpOf } from '../../../electron/contracts/channel.ts'
import { CHANNELS, type Channels } from '../../../electron/contracts/channels.ts'
import type { Duplex } from '../../../electron/contracts/duplex.ts'
import type { Port } from '../../../electron/contracts/protocol.ts'
import { after, stopwatch, wallClock } from '../time/clock.ts'
import { LOST, FaceFailure } from './failure.ts'

export type FaceState =
  | { readonly phase: 'connecting' }
  | { readonly phase: 'open' }
  /** `since`: milliseconds since the epoch; `attempt`: how often it was tried since. */
  | { readonly phase: 'lost'; readonly since: number; readonly attempt: number }

export interface Face extends Disposable {
  readonly state: Readonly<ShallowRef<FaceState>>
  call<K extends CallsOf<Channels>>(method: K, arg: ArgOf<Channels[K]>, options?: { signal?: AbortSignal }): Promise<ResultOf<Channels[K]>>
  open<K extends StreamsOf<Channels>>(
    method: K,
    arg: ArgOf<Channels[K]>,
    options?: { signal?: AbortSignal },
  ): Duplex<DownOf<Channels[K]>, UpOf<Channels[K]>>
  /** Calls `fn` now if the connection is there, and each time that it is made. */
  whenOpen(fn: () => void): Disposable
  /** Drops the connection, so that it is made anew: for when it is there but does not answer. */
  renew(): void
}

const RETRY_MS = [200, 500, 1000, 2000, 4000]
/** How long a call waits for a connection. */
const PATIENCE_MS = 4000
const STEADY_MS = 3000

export function createFace(connect: () => Promise<Port>): Face {
  const state = shallowRef<FaceState>({ phase: 'connecting' })
  const listeners = new Set<() => void>()
  let caller: Caller<Channels> | null = null
  let retry: Disposable | null = null
  let disposed = false
  let attempt = 0
  let openedAt = 0

  const onLost = () => {
    caller = null
    if (disposed) return
    const now = state.value
    // A connection that breaks as soon as it is made is no success.
    if (now.phase === 'open' && stopwatch() - openedAt > STEADY_MS) attempt = 0
    state.value = { phase: 'lost', since: now.phase === 'lost' ? now.since : wallClock(), attempt }
    retry = after(RETRY_MS[Math.min(attempt++, RETRY_MS.length - 1)] ?? 0, () => void tryOnce())
  }
  const tryOnce = async () => {
    try {
      const port = await connect()
      if (disposed) return port.close()
      const made = createCaller(port, CHANNELS)
      made.closed.addEventListener('abort', () => caller === made && onLost(), { once: true })
      caller = made
      openedAt = stopwatch()
      state.value = { phase: 'open' }
      for (const listener of [...listeners]) listener()
    } catch {
      onLost()
    }
  }
  const whenOpen = (fn: () => void): Disposable => {
    listeners.add(fn)
    if (caller) fn()
    return { [Symbol.dispose]: () => void listeners.delete(fn) }
  }
  const connected = (signal?: AbortSignal): Promise<Caller<Channels>> =>
    new Promise((resolve, reject) => {
      if (caller) return resolve(caller)
      const end = (settle: () => void) => {
        waiting[Symbol.dispose]()
        patience[Symbol.dispose]()
        settle()
      }
      const waiting = whenOpen(() => end(() => (caller ? resolve(caller) : reject(new FaceFailure(LOST)))))
      const patience = after(PATIENCE_MS, () => end(() => reject(new FaceFailure(LOST))))
      signal?.addEventListener('abort', () => end(() => reject(signal.reason as Error)), { once: true })
    })

  void tryOnce()
  return {
    state,
    async call(method, arg, options) {
      const to = caller ?? (await connected(options?.signal))
      return to.call(method, arg, options)
    },
    open(method, arg, options) {
      if (!caller) throw new FaceFailure(LOST)
      return caller.open(method, arg, options)
    },
    whenOpen,
    renew() {
      caller?.[Symbol.dispose]()
    },
    [Symbol.dispose]() {
      disposed = true
      retry?.[Symbol.dispose]()
      caller?.[Symbol.dispose]()
    },
  }
}
