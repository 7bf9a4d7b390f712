/** What a person chose for the desktop app itself, beside what the windows keep. */
import { readFileSync, writeFileSync } from 'node:fs'
import * as v from 'valibot'
import { LANGUAGES, type Language } from './texts/texts.ts'

const schema = v.object({
  /** Of menus and notifications: the one that the windows were last shown in. */
  language: v.optional(v.picklist(LANGUAGES)),
  notifications: v.optional(v.boolean(), true),
})

export type DesktopSettings = v.InferOutput<typeof schema>

/** What cannot be read, or makes no sense, is as if nothing had been chosen. */
export function readSettings(file: string): DesktopSettings {
  try {
    return v.parse(schema, JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return v.parse(schema, {})
  }
}

/** Losing it costs a choice, so a failure is not told. */
export function saveSettings(file: string, settings: DesktopSettings): void {
  try {
    writeFileSync(file, JSON.stringify(settings))
  } catch {
    // As documented above.
  }
}

export function isLanguage(value: unknown): value is Language {
  return LANGUAGES.some((language) => language === value)
}
