/** The UI in another language: chosen, or preferred by the browser. */
import { afterAll, expect, it } from 'vitest'
import { closeBrowser, openApp } from './browser.ts'
import { OVERFLOW } from './overflow.ts'

/** Notes whether a word of the English sidebar was ever on the page. */
const WATCH_FOR_ENGLISH = `
  window.sawEnglish = false
  new MutationObserver(() => { if (document.body?.textContent.includes('Overview')) window.sawEnglish = true })
    .observe(document, { childList: true, subtree: true, characterData: true })
`
const SCRIPTS = `performance.getEntriesByType('resource').filter((r) => r.name.endsWith('.js')).length`

afterAll(closeBrowser)

it('changes at once when it is chosen, with a catalogue that was not loaded before, and is there from the start next time', async () => {
  await using opened = await openApp()
  const { page } = opened
  await opened.go('/settings')
  await page.getByText('State folder').waitFor()
  const before = await page.evaluate<number>(SCRIPTS)

  await page.getByText('Deutsch', { exact: true }).click()
  await page.getByRole('heading', { name: 'Einstellungen' }).waitFor()
  const sections = page.getByRole('navigation', { name: 'Bereiche' })
  await sections.getByRole('link', { name: 'Übersicht' }).waitFor()
  expect(await page.evaluate(SCRIPTS)).toBe(before + 1)
  expect(await page.evaluate('document.documentElement.lang')).toBe('de')
  await sections.getByRole('link', { name: 'Pods' }).click()
  await page.getByRole('columnheader', { name: 'Neustarts' }).waitFor()

  await page.addInitScript(WATCH_FOR_ENGLISH)
  await page.reload()
  await sections.getByRole('link', { name: 'Übersicht' }).waitFor()
  expect(await page.evaluate('window.sawEnglish')).toBe(false)

  await opened.go('/settings')
  await page.getByText('English', { exact: true }).click()
  await page.getByRole('heading', { name: 'Settings' }).waitFor()
  expect(await page.evaluate('[document.documentElement.lang, window.sawEnglish]')).toEqual(['en', true])
  expect(opened.errors).toEqual([])
})

it('is what the browser prefers until one is chosen, and fits a narrow window', async () => {
  await using opened = await openApp({ language: 'de-AT', width: 390, height: 800 })
  for (const [path, shows] of [
    ['/', 'Zu tun'],
    ['/pods', 'OOMKilled'],
    ['/machines', 'Maschine hinzufügen'],
    ['/deploy', 'Was geschehen wird'],
    ['/settings', 'Datenordner'],
  ] as const) {
    await opened.go(path)
    await opened.page.getByText(shows).first().waitFor({ state: 'attached' })
    expect(await opened.page.evaluate(OVERFLOW), path).toEqual([])
  }
  expect(opened.errors).toEqual([])
})
