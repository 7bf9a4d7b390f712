/** A watch as tests look at it: what came so far is kept, and the next event is waited for. */
import type { Kind } from '../../../electron/api/kind.ts'
import type { KubeObject } from '../../../electron/api/meta/v1/object.ts'
import type { Client, WatchOptions } from '../../../electron/client/client.ts'
import type { WatchEvent } from '../../../electron/machinery/watch-event.ts'

export interface Watching<T extends KubeObject> extends AsyncDisposable {
  /** Every event up to now, in order. */
  readonly seen: readonly WatchEvent<T>[]
  /** The event after the last one that was asked for. */
  next(): Promise<WatchEvent<T>>
  /** Skips events until one is of this type and its object is as wanted. */
  until(type: WatchEvent['type'], wanted?: (object: T) => boolean): Promise<T>
  /** The types of the events that came and were not asked for yet, once the server has had `milliseconds` for more. */
  rest(milliseconds: number): Promise<string[]>
}

/** Resolves when the server has accepted the watch. Ends with the signal. */
export async function startWatch<T extends KubeObject>(
  client: Client,
  kind: Kind<T>,
  options: WatchOptions & { readonly signal: AbortSignal },
): Promise<Watching<T>> {
  const ended = new AbortController()
  const signal = AbortSignal.any([ended.signal, options.signal])
  const seen: WatchEvent<T>[] = []
  let asked = 0
  let failure: Error | null = null
  let wake = Promise.withResolvers<void>()
  const opened = Promise.withResolvers<void>()
  const pump = async () => {
    try {
      for await (const event of client.watch(kind, { ...options, signal, onOpen: () => opened.resolve() })) {
        if (event.type === 'BOOKMARK') continue
        seen.push(event)
        wake.resolve()
        wake = Promise.withResolvers()
      }
      failure = new Error('the server ended the watch')
    } catch (error) {
      failure = new Error(options.signal.aborted ? 'not in time: an event of a watch' : 'the watch failed', { cause: error })
    }
    opened.reject(failure)
    wake.resolve()
  }
  const over = pump()
  await opened.promise
  const next = async () => {
    for (;;) {
      const event = seen[asked]
      if (event) {
        asked++
        return event
      }
      if (failure) throw failure
      await wake.promise
    }
  }
  return {
    seen,
    next,
    async until(type, wanted = () => true) {
      for (;;) {
        const event = await next()
        if (event.type === type && wanted(event.object)) return event.object
      }
    },
    async rest(milliseconds) {
      await new Promise((resolve) => setTimeout(resolve, milliseconds))
      const types = seen.slice(asked).map(({ type }) => type)
      asked = seen.length
      return types
    },
    async [Symbol.asyncDispose]() {
      ended.abort()
      await over
    },
  }
}
