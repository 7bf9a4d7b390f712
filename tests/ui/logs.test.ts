/** The logs of many containers as one. */
import axe from 'axe-core'
import { readFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { POD } from './fake/cluster.ts'
import { closeBrowser, openApp, settled, type Opened } from './browser.ts'

let opened: Opened
beforeEach(async () => {
  opened = await openApp()
  await settled(opened)
})
afterEach(() => opened[Symbol.asyncDispose]())
afterAll(closeBrowser)

const log = () => opened.page.getByRole('log')
const legend = () => opened.page.getByRole('group', { name: 'Whose lines' }).getByRole('button')

describe('the logs of a workload', () => {
  it('are one, in the order of time, and say whose each line is', async () => {
    const { page } = opened
    await opened.go('/logs')
    await page.getByText('Whose logs?').waitFor()
    await page.getByRole('combobox', { name: 'Workload' }).click()
    await page.getByRole('option', { name: 'web', exact: true }).click()
    await log().getByText('POST /cart').first().waitFor()
    expect(await legend().count()).toBe(6)
    await expect.poll(() => page.evaluate(`new Set([...document.querySelectorAll('[role=log] .src')].map((el) => el.title)).size`)).toBe(6)
    const times = await page.evaluate<string[]>(`[...document.querySelectorAll('[role=log] time')].map((el) => el.title)`)
    expect(times).toEqual(times.toSorted())
    await page.evaluate(axe.source)
    const { violations } = await page.evaluate<{ violations: { id: string }[] }>('axe.run()')
    expect(violations.map(({ id }) => id)).toEqual([])
    expect(opened.errors).toEqual([])
  })

  it('take in pods that come, and keep what those that went have said', async () => {
    const { app } = opened
    await opened.go('/logs?workload=deployment/shop/web&container=app')
    await log().getByText('POST /cart').first().waitFor()
    await expect.poll(() => legend().count()).toBe(3)
    const { items } = await app.cluster.client.list(POD, { namespace: 'shop', labelSelector: 'app=web' })
    await app.cluster.client.delete(POD, { namespace: 'shop', name: items[0]?.metadata.name ?? '' })
    await expect.poll(() => legend().count(), { timeout: 30_000 }).toBe(4)
  })

  it('are narrowed to lines that match, and to sources, and downloaded so', async () => {
    const { page } = opened
    await opened.go('/logs?workload=deployment/shop/web&container=app')
    await log().getByText('POST /cart').first().waitFor()
    await page.getByRole('textbox', { name: 'Find in log' }).fill('/order=\\d+/')
    await page.getByRole('button', { name: 'Only lines that match' }).click()
    await expect.poll(() => log().getByText('POST /cart').count()).toBe(0)
    await log().locator('mark').first().waitFor()
    await legend().nth(0).click()
    await legend().nth(1).click()
    await expect.poll(() => page.evaluate(`new Set([...document.querySelectorAll('[role=log] .src')].map((el) => el.title)).size`)).toBe(1)
    await page.getByRole('button', { name: 'Download what is here' }).click()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('menuitem', { name: /lines that are shown/ }).click(),
    ])
    const text = await readFile(await download.path(), 'utf8')
    expect(text.split('\n').filter((line) => line && !/order=\d+/.test(line))).toEqual([])
    expect(download.suggestedFilename()).toBe('web.log')
  })

  it('are chosen by labels, and begin when one wants', async () => {
    const { page } = opened
    await opened.go('/logs')
    await page.getByRole('textbox', { name: 'Labels, as app=web' }).fill('app=checkout')
    await log().getByText('POST /cart').first().waitFor()
    await page.getByRole('button', { name: 'Last lines' }).click()
    await page.getByRole('button', { name: 'Last 15 min' }).click()
    await page.getByRole('button', { name: /^Since \d\d:\d\d/ }).waitFor()
    await log().getByText('POST /cart').first().waitFor()
  })
})
