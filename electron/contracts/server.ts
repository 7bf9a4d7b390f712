import * as v from 'valibot'
import { FlotillaError, messageOf } from '../base/errors.ts'
import type { ArgOf, CallChannel, ChannelMap, DownOf, ResultOf, StreamChannel, UpOf } from './channel.ts'
import { DuplexEnd, type Duplex } from './duplex.ts'
import type { ContractFailure, Message, Port } from './protocol.ts'

type ParsedArg<C> = C extends { arg: infer S extends v.GenericSchema } ? v.InferOutput<S> : ArgOf<C>

export type Handler<C> = C extends CallChannel
  ? (arg: ParsedArg<C>, signal: AbortSignal) => Promise<ResultOf<C>> | ResultOf<C>
  : C extends StreamChannel
    ? /** The stream ends normally when the promise resolves, and fails when it rejects. */
      (arg: ParsedArg<C>, duplex: Duplex<UpOf<C>, DownOf<C>>) => Promise<void>
    : never

export type Handlers<M extends ChannelMap> = { readonly [K in keyof M]: Handler<M[K]> }

/**
 * Serves one connection until its port closes. Arguments and upstream data are checked against the schemas; `describe` turns what
 * a handler threw into what the UI is told.
 */
export function serveConnection<M extends ChannelMap>(
  port: Port,
  channels: M,
  handlers: Handlers<M>,
  describe: (error: unknown) => ContractFailure = describeError,
): void {
  const running = new Map<number, Running>()

  const begin = (message: Extract<Message, { t: 'call' | 'open' }>): void => {
    const { id, method, arg } = message
    if (running.has(id)) return
    const channel = Object.hasOwn(channels, method) ? channels[method] : undefined
    if (!channel || (channel.kind === 'call') !== (message.t === 'call')) {
      port.post({ t: 'fail', id, error: { code: 'UNSUPPORTED', what: `There is no ${message.t} "${method}".`, why: '', next: '' } })
      return
    }
    const entry = channel.kind === 'call' ? beginCall(channel, id, method, arg) : beginStream(channel, id, method, arg)
    running.set(id, entry)
    entry.work.then(
      () => running.delete(id),
      (error: unknown) => {
        running.delete(id)
        entry.stop(error)
        if (!entry.cancelled) port.post({ t: 'fail', id, error: describe(error) })
      },
    )
  }
  const beginCall = (channel: CallChannel, id: number, method: string, arg: unknown): Running => {
    const abort = new AbortController()
    const handler = handlers[method] as unknown as (arg: unknown, signal: AbortSignal) => unknown
    const work = Promise.try(async () => {
      const value = await handler(parse(channel.arg, arg, method), abort.signal)
      port.post({ t: 'result', id, value })
    })
    return { work, stop: (reason) => abort.abort(reason), cancelled: false, end: null }
  }
  const beginStream = (channel: StreamChannel, id: number, method: string, arg: unknown): Running => {
    const end = new DuplexEnd<unknown, unknown>({ id, port, peerEndIsFinal: false, check: (value) => parse(channel.up, value, method) })
    const handler = handlers[method] as unknown as (arg: unknown, duplex: Duplex<unknown, unknown>) => Promise<void>
    const work = Promise.try(async () => {
      await handler(parse(channel.arg, arg, method), end)
      end.end()
      end.close(new DOMException('the stream has ended', 'AbortError'))
    })
    return { work, stop: (reason) => end.close(reason), cancelled: false, end }
  }

  port.onMessage((message) => {
    if (message.t === 'call' || message.t === 'open') return begin(message)
    const entry = running.get(message.id)
    if (!entry) return
    if (message.t !== 'cancel') return entry.end?.accept(message)
    entry.cancelled = true
    entry.stop(new DOMException('cancelled by the UI', 'AbortError'))
  })
  port.onClose(() => {
    for (const entry of running.values()) {
      entry.cancelled = true
      entry.stop(new DOMException('the connection closed', 'AbortError'))
    }
  })
}

interface Running {
  readonly work: Promise<void>
  readonly stop: (reason: unknown) => void
  readonly end: DuplexEnd<unknown, unknown> | null
  cancelled: boolean
}

function parse(schema: v.GenericSchema, value: unknown, method: string): unknown {
  const result = v.safeParse(schema, value)
  if (result.success) return result.output
  const issue = result.issues[0]
  throw new FlotillaError('INVALID_INPUT', {
    what: `"${method}" was called with a value that does not fit.`,
    why: `${v.getDotPath(issue) ?? 'argument'}: ${issue.message}.`,
    next: 'This is a defect of the caller; please report it.',
  })
}

export function describeError(error: unknown): ContractFailure {
  if (error instanceof FlotillaError) return error.toJSON()
  return {
    code: 'INTERNAL',
    what: 'Something inside Flotilla failed.',
    why: messageOf(error),
    next: 'The log has the details; please report it.',
  }
}
