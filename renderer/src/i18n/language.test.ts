import { afterEach, describe, expect, it } from 'vitest'
import { cores, bytes } from '../kube/quantity.ts'
import { dayTime, elapsed } from '../time/format.ts'
import { caps } from '../stores/keys.ts'
import { i18n, speak, t, tn } from './index.ts'
import { language, languageOf } from './language.ts'

afterEach(() => speak('en'))

describe('the language', () => {
  it('is the one chosen, whatever the system says', () => {
    expect(languageOf('en', ['de-DE'])).toBe('en')
    expect(languageOf('de', ['en-US'])).toBe('de')
  })
  it('is else the first of the system’s that there is a catalogue for, of any region', () => {
    expect(languageOf('system', ['de-AT', 'en'])).toBe('de')
    expect(languageOf('system', ['fr-FR', 'DE', 'en'])).toBe('de')
    expect(languageOf('system', ['en-GB', 'de'])).toBe('en')
  })
  it('is else English', () => {
    expect(languageOf('system', ['fr', 'den', 'ja-JP'])).toBe('en')
    expect(languageOf('system', [])).toBe('en')
  })
})

describe('what is spoken', () => {
  it('is English until a catalogue is there, and again when it is chosen', async () => {
    expect(t('common.delete')).toBe('Delete')
    await speak('de')
    expect(t('common.delete')).toBe('Löschen')
    await speak('en')
    expect(t('common.delete')).toBe('Delete')
  })
  it('stays when the choice changed while the catalogue was loaded', async () => {
    await speak('de', () => false)
    expect(language.value).toBe('en')
    expect(i18n.global.locale.value).toBe('en')
  })
  it('has German plurals', async () => {
    await speak('de')
    expect([0, 1, 2].map((n) => tn('overview.pods', n))).toEqual(['keine Pods', '1 Pod', '2 Pods'])
    expect([1, 48_213].map((n) => tn('pod.restarts', n))).toEqual(['1 Neustart', '48\u202f213 Neustarts'])
    expect([0, 1, 3].map((n) => tn('drain.go', n))).toEqual(['Sperren', '1 Pod räumen', '3 Pods räumen'])
  })
  it('has German numbers, dates and keys', async () => {
    const now = Date.parse('2026-11-21T12:00:00Z')
    await speak('de')
    expect([cores(1.5), bytes(1.75 * 2 ** 30), elapsed(400)]).toEqual(['1,5', '1,8 Gi', '0,4 s'])
    expect(dayTime('2026-11-18T12:00:00Z', now)).toMatch(/^18\. Nov\., \d\d:\d\d$/)
    expect(caps('ctrl+k')).toEqual(['Strg', 'K'])
    await speak('en')
    expect([cores(1.5), bytes(1.75 * 2 ** 30), elapsed(400)]).toEqual(['1.5', '1.8 Gi', '0.4 s'])
    expect(caps('ctrl+k')).toEqual(['Ctrl', 'K'])
  })
})
