/** Which language is spoken. Texts and numbers read it when they are made, so that what is on screen follows a change. */
import { shallowRef } from 'vue'

export const LANGUAGES = ['en', 'de'] as const
export type Language = (typeof LANGUAGES)[number]
/** "system" is the first language of the browser's or system's list that there is a catalogue for. */
export type LanguageChoice = 'system' | Language

/** Languages by their own names, which everyone finds again. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: 'English', de: 'Deutsch' }

export const language = shallowRef<Language>('en')

/** `preferred` are BCP 47 tags, the best first ("de-AT"); English where none fits. */
export function languageOf(choice: LanguageChoice, preferred: readonly string[]): Language {
  if (choice !== 'system') return choice
  for (const tag of preferred) {
    const base = tag.toLowerCase().split('-')[0]
    const found = LANGUAGES.find((each) => each === base)
    if (found) return found
  }
  return 'en'
}
