/** How a channel is described: a schema for what goes each way. Types come from the schemas; the serving end checks at run time. */
import * as v from 'valibot'

type Schema = v.GenericSchema

export interface CallChannel<Arg extends Schema = Schema, Result extends Schema = Schema> {
  readonly kind: 'call'
  readonly arg: Arg
  readonly result: Result
}

/** `up` flows from the UI to the app, `down` from the app to the UI. */
export interface StreamChannel<Arg extends Schema = Schema, Up extends Schema = Schema, Down extends Schema = Schema> {
  readonly kind: 'stream'
  readonly arg: Arg
  readonly up: Up
  readonly down: Down
}

export type Channel = CallChannel | StreamChannel
export type ChannelMap = Readonly<Record<string, Channel>>

export const call = <A extends Schema, R extends Schema>(arg: A, result: R): CallChannel<A, R> => ({ kind: 'call', arg, result })
export const stream = <A extends Schema, U extends Schema, D extends Schema>(arg: A, up: U, down: D): StreamChannel<A, U, D> => ({
  kind: 'stream',
  arg,
  up,
  down,
})

export const nothing = v.optional(v.undefined())

export type CallsOf<M extends ChannelMap> = { [K in keyof M]: M[K] extends CallChannel ? K : never }[keyof M] & string
export type StreamsOf<M extends ChannelMap> = { [K in keyof M]: M[K] extends StreamChannel ? K : never }[keyof M] & string
export type ArgOf<C> = C extends { arg: infer S extends Schema } ? v.InferInput<S> : never
export type ResultOf<C> = C extends { result: infer S extends Schema } ? v.InferOutput<S> : never
export type UpOf<C> = C extends { up: infer S extends Schema } ? v.InferOutput<S> : never
export type DownOf<C> = C extends { down: infer S extends Schema } ? v.InferOutput<S> : never
