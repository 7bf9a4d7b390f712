/**
 * Texts. `t` and `tn` know each key and its parameters, so a missing one is a type error. The catalogue is interpreted, never
 * compiled to code, so that the page's policy can forbid eval.
 */
import { createI18n } from 'vue-i18n'
import { en } from './en/index.ts'
import { count } from './numbers.ts'

export type Messages = typeof en
export type MessageKey = keyof Messages

type Names<S> = S extends `${string}{${infer Name}}${infer Rest}` ? (Name extends `'${string}` ? never : Name) | Names<Rest> : never
type Params<K extends MessageKey> = Names<Messages[K]>
/** Keys of texts without parameters: what can be chosen at run time. */
export type PlainKey = { [K in MessageKey]: [Params<K>] extends [never] ? K : never }[MessageKey]
type Args<Name extends string> = [Name] extends [never] ? [] : [params: Readonly<Record<Name, string | number>>]

export const i18n = createI18n({
  legacy: false,
  locale: 'en',
  fallbackLocale: 'en',
  messageResolver: (messages, key) => (messages as Record<string, string>)[key] ?? null,
  missingWarn: false,
  fallbackWarn: false,
  messages: { en },
})

const translate = i18n.global.t as unknown as (key: string, named: Record<string, unknown>, plural?: number) => string

export function t<K extends MessageKey>(key: K, ...args: Args<Params<K>>): string {
  return translate(key, args[0] ?? {})
}

/** The form of a message with `|` that fits the number `n`, which it may show as `{n}`. */
export function tn<K extends MessageKey>(key: K, n: number, ...args: Args<Exclude<Params<K>, 'n'>>): string {
  return translate(key, { ...args[0], n: count(n) }, n)
}
