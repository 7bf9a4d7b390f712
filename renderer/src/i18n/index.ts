/**
 * Texts. `t` and `tn` know each key and its parameters, so a missing one is a type error. The catalogue is interpreted, never
 * compiled to code, so that the page's policy can forbid eval. Languages other than English are loaded when they are chosen.
 */
import { createI18n } from 'vue-i18n'
import { en } from './en/index.ts'
import { language, type Language } from './language.ts'
import { count } from './numbers.ts'
import type { MessageKey, Messages, Params } from './texts.ts'

export type { MessageKey } from './texts.ts'

/** Keys of texts without parameters: what can be chosen at run time. */
export type PlainKey = { [K in MessageKey]: [Params<K>] extends [never] ? K : never }[MessageKey]
type Args<Name extends string> = [Name] extends [never] ? [] : [params: Readonly<Record<Name, string | number>>]

const loaded: Partial<Record<Language, Messages>> = { en }

export const i18n = createI18n({
  legacy: false,
  locale: 'en',
  fallbackLocale: 'en',
  messageResolver: (messages, key) => (messages as Record<string, string>)[key] ?? null,
  missingWarn: false,
  fallbackWarn: false,
  messages: loaded,
})

const CATALOGUES: Readonly<Record<Language, () => Promise<Messages>>> = {
  en: async () => en,
  de: async () => (await import('./de/index.ts')).de,
}

/**
 * Everything that is shown changes to that language once its catalogue is there, if it is `wanted` still. Rejects where the catalogue
 * cannot be loaded; the language stays then.
 */
export async function speak(next: Language, wanted: () => boolean = () => true): Promise<void> {
  const messages = await CATALOGUES[next]()
  if (!wanted()) return
  i18n.global.setLocaleMessage(next, messages)
  i18n.global.locale.value = next
  language.value = next
}

const translate = i18n.global.t as unknown as (key: string, named: Record<string, unknown>, plural?: number) => string

export function t<K extends MessageKey>(key: K, ...args: Args<Params<K>>): string {
  return translate(key, args[0] ?? {})
}

/** The form of a message with `|` that fits the number `n`, which it may show as `{n}`. */
export function tn<K extends MessageKey>(key: K, n: number, ...args: Args<Exclude<Params<K>, 'n'>>): string {
  return translate(key, { ...args[0], n: count(n) }, n)
}
