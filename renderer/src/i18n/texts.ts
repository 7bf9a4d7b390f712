/** What a catalogue is, so that one which lacks a text or a parameter does not compile. */
import type { en } from './en/index.ts'

export type MessageKey = keyof typeof en
export type Messages = Readonly<Record<MessageKey, string>>

/** The same texts in another language: no key more and none fewer. */
export type Texts<English> = Readonly<Record<keyof English, string>>

type Names<S> = S extends `${string}{${infer Name}}${infer Rest}` ? (Name extends `'${string}` ? never : Name) | Names<Rest> : never

/** The parameters of a text. */
export type Params<K extends MessageKey> = Names<(typeof en)[K]>

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false

/** What a catalogue satisfies whose texts take the parameters of the English ones, all of them and no other. */
export type SameParameters<Catalogue> = {
  readonly [K in MessageKey]: K extends keyof Catalogue ? (Same<Names<Catalogue[K]>, Params<K>> extends true ? string : never) : string
}
