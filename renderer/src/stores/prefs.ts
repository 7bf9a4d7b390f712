/** What the person chose for this window's looks and habits; kept in the browser's own storage. */
import { useMediaQuery, usePreferredLanguages } from '@vueuse/core'
import { defineStore } from 'pinia'
import { computed, ref, watch, type Ref } from 'vue'
import { LANGUAGES, languageOf, type LanguageChoice } from '../i18n/language.ts'

export type Theme = 'system' | 'light' | 'dark'
export type Density = 'compact' | 'roomy'

const PREFIX = 'flotilla.'

function load<T>(key: string, fallback: T, accept: (value: unknown) => value is T): T {
  try {
    const text = localStorage.getItem(PREFIX + key)
    const value: unknown = text === null ? undefined : JSON.parse(text)
    return accept(value) ? value : fallback
  } catch {
    return fallback
  }
}

/** A ref that is kept between visits; what cannot be read or does not fit is the fallback. */
export function kept<T>(key: string, fallback: T, accept: (value: unknown) => value is T): Ref<T> {
  const value = ref(load(key, fallback, accept)) as Ref<T>
  watch(
    value,
    (now) => {
      try {
        localStorage.setItem(PREFIX + key, JSON.stringify(now))
      } catch {
        // Storage is full or forbidden: the choice holds for this visit.
      }
    },
    { deep: true },
  )
  return value
}

export const oneOf =
  <T extends string>(...choices: readonly T[]) =>
  (value: unknown): value is T =>
    choices.includes(value as T)
export const isFlag = (value: unknown): value is boolean => typeof value === 'boolean'
export const isText = (value: unknown): value is string => typeof value === 'string'
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText)
export const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

export const usePrefs = defineStore('prefs', () => {
  const theme = kept<Theme>('theme', 'system', oneOf('system', 'light', 'dark'))
  const density = kept<Density>('density', 'compact', oneOf('compact', 'roomy'))
  const language = kept<LanguageChoice>('language', 'system', oneOf('system', ...LANGUAGES))
  /** Letters alone as commands (WCAG 2.1.4: they can be switched off). */
  const letterKeys = kept('letterKeys', true, isFlag)
  /** "" is all namespaces. */
  const namespace = kept('namespace', '', isText)
  /** Groups of the sidebar that are folded away, by their titles' keys. */
  const foldedGroups = kept<string[]>('foldedGroups', ['nav.storage', 'nav.access'], isTexts)
  const dockHeight = kept('dockHeight', 240, isNumber)

  const preferred = usePreferredLanguages()
  const shownLanguage = computed(() => languageOf(language.value, preferred.value))

  const systemDark = useMediaQuery('(prefers-color-scheme: dark)')
  const shownTheme = computed(() => (theme.value === 'system' ? (systemDark.value ? 'dark' : 'light') : theme.value))
  watch(
    [shownTheme, density],
    ([nowTheme, nowDensity]) => {
      document.documentElement.dataset['theme'] = nowTheme
      document.documentElement.dataset['density'] = nowDensity
    },
    { immediate: true },
  )
  /** Height of a table's row in pixels, as in the tokens. */
  const rowHeight = computed(() => (density.value === 'roomy' ? 40 : 32))

  return { theme, density, language, letterKeys, namespace, foldedGroups, dockHeight, shownTheme, shownLanguage, rowHeight }
})
