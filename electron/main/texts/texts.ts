/** What the desktop itself says: menus, tray, notifications, dialogs. It speaks the language of the windows. */
import { de } from './de.ts'
import { en, type TextKey } from './en.ts'

export const LANGUAGES = ['en', 'de'] as const
export type Language = (typeof LANGUAGES)[number]

const CATALOGUES: Readonly<Record<Language, Readonly<Record<TextKey, string>>>> = { en, de }

/** `{name}` in the text is taken from `params`. */
export type Translate = (key: TextKey, params?: Readonly<Record<string, string | number>>) => string

export function translator(language: Language): Translate {
  const numbers = new Intl.NumberFormat(language)
  return (key, params = {}) =>
    CATALOGUES[language][key].replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = params[name]
      return value === undefined ? whole : typeof value === 'number' ? numbers.format(value) : value
    })
}

/** The first language of the system that there are texts in; `tags` as in BCP 47, the best first. */
export function languageFrom(tags: readonly string[]): Language {
  for (const tag of tags) {
    const found = LANGUAGES.find((language) => tag.toLowerCase().split('-')[0] === language)
    if (found) return found
  }
  return 'en'
}
