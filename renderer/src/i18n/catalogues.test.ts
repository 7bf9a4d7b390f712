import { describe, expect, it } from 'vitest'
import { de } from './de/index.ts'
import { en } from './en/index.ts'
import { LANGUAGES } from './language.ts'

const CATALOGUES: Readonly<Record<string, Readonly<Record<string, string>>>> = { en, de }
const english: Readonly<Record<string, string>> = en

const forms = (text: string) => text.split(' | ')
const parameters = (text: string) =>
  [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? ''))].toSorted((a, b) => a.localeCompare(b))
const whereNot = (texts: Readonly<Record<string, string>>, fits: (text: string, original: string) => boolean) =>
  Object.entries(texts)
    .filter(([key, text]) => !fits(text, english[key] ?? ''))
    .map(([key]) => key)

it('there is a catalogue for each language', () => {
  expect(Object.keys(CATALOGUES).toSorted()).toEqual([...LANGUAGES].toSorted())
})

describe.each(Object.entries(CATALOGUES))('the catalogue %s', (_language, texts) => {
  it('has the keys of the English one, and no text that is empty', () => {
    expect(Object.keys(texts).toSorted()).toEqual(Object.keys(en).toSorted())
    expect(whereNot(texts, (text) => forms(text).every((form) => form.trim() !== ''))).toEqual([])
  })
  it('takes the parameters of the English one', () => {
    expect(whereNot(texts, (text, original) => parameters(text).join() === parameters(original).join())).toEqual([])
  })
  it('has as many forms of each text as the English one, for the same rule chooses them', () => {
    expect(whereNot(texts, (text, original) => forms(text).length === forms(original).length)).toEqual([])
    expect(whereNot(texts, (text) => forms(text).length <= 3)).toEqual([])
  })
  it('has no sign that means something else in a message', () => {
    // "@" links messages; a "|" without spaces would still part them.
    expect(whereNot(texts, (text) => !/@|\S\||\|\S/.test(text))).toEqual([])
  })
  it('shows the number of many where the English one does', () => {
    const last = (text: string) => parameters(forms(text).at(-1) ?? '').includes('n')
    expect(whereNot(texts, (text, original) => last(text) === last(original))).toEqual([])
  })
})

describe('the German catalogue', () => {
  it('is brief where there is little room: in heads of columns, in the sidebar, on buttons', () => {
    const narrow = /^(column\.(?!.*Title)|nav\.|list\.chip|pods\.chip|common\.)/
    const long = whereNot(de, (text, original) => text.length <= Math.max(16, original.length + 8))
    expect(long.filter((key) => narrow.test(key))).toEqual([])
  })
  it('addresses nobody, and quotes as German does', () => {
    expect(whereNot(de, (text) => !/\b(du|dein|deine|Sie bitte|bitte)\b|[“”"](?=\w)/.test(text))).toEqual([])
  })
})
