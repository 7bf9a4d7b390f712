import * as v from 'valibot'
import { deferred, type Deferred } from '../base/async.ts'
import type { ArgOf, CallsOf, ChannelMap, DownOf, ResultOf, StreamChannel, StreamsOf, UpOf } from './channel.ts'
import { DuplexEnd, type Duplex } from './duplex.ts'
import { ContractError, type Message, type Port } from './protocol.ts'

/** The UI's end of a connection. */
export interface Caller<M extends ChannelMap> extends Disposable {
  call<K extends CallsOf<M>>(method: K, arg: ArgOf<M[K]>, options?: { signal?: AbortSignal }): Promise<ResultOf<M[K]>>
  /** Aborting the signal cancels the stream at both ends. */
  open<K extends StreamsOf<M>>(method: K, arg: ArgOf<M[K]>, options?: { signal?: AbortSignal }): Duplex<DownOf<M[K]>, UpOf<M[K]>>
  /** Aborts when the connection is gone. */
  readonly closed: AbortSignal
}

const LOST = { code: 'PLANE_UNREACHABLE', what: 'The connection to Flotilla was lost.', why: '', next: 'It is made again by itself.' }

export function createCaller<M extends ChannelMap>(port: Port, channels: M): Caller<M> {
  let nextId = 1
  const calls = new Map<number, Deferred<unknown>>()
  const streams = new Map<number, DuplexEnd<unknown, unknown>>()
  const closed = new AbortController()

  const onMessage = (message: Message) => {
    const waiting = calls.get(message.id)
    if (waiting) {
      calls.delete(message.id)
      if (message.t === 'result') waiting.resolve(message.value)
      else if (message.t === 'fail') waiting.reject(new ContractError(message.error))
      return
    }
    const end = streams.get(message.id)
    if (message.t === 'fail') end?.close(new ContractError(message.error))
    else end?.accept(message)
  }
  const onClose = () => {
    if (closed.signal.aborted) return
    const error = new ContractError(LOST)
    closed.abort(error)
    for (const waiting of calls.values()) waiting.reject(error)
    for (const end of streams.values()) end.close(error)
    calls.clear()
    streams.clear()
  }
  port.onMessage(onMessage)
  port.onClose(onClose)

  /** Sends the first message; on abort tells the peer and `fail`s here. Returns what takes the listener off again. */
  const begin = (message: Message, signal: AbortSignal | undefined, fail: (error: unknown) => void) => {
    const onAbort = () => {
      port.post({ t: 'cancel', id: message.id })
      fail(signal?.reason)
    }
    if (closed.signal.aborted) fail(closed.signal.reason)
    else if (signal?.aborted) fail(signal.reason)
    else {
      signal?.addEventListener('abort', onAbort, { once: true })
      port.post(message)
    }
    return () => signal?.removeEventListener('abort', onAbort)
  }

  return {
    closed: closed.signal,
    call(method, arg, options) {
      const id = nextId++
      const result = deferred<unknown>()
      calls.set(id, result)
      const done = begin({ t: 'call', id, method, arg }, options?.signal, (error) => {
        calls.delete(id)
        result.reject(error)
      })
      return result.promise.finally(done) as Promise<never>
    },
    open(method, arg, options) {
      const id = nextId++
      const { down } = channels[method] as StreamChannel
      let done: () => void = () => undefined
      const end = new DuplexEnd<unknown, unknown>({
        id,
        port,
        peerEndIsFinal: true,
        check: (value) => v.parse(down, value),
        onOver: () => {
          streams.delete(id)
          done()
        },
      })
      streams.set(id, end)
      done = begin({ t: 'open', id, method, arg }, options?.signal, (error) => end.close(error))
      return end as unknown as Duplex<never, never>
    },
    [Symbol.dispose]() {
      onClose()
      port.close()
    },
  }
}
