/** A pod's page: logs that stream, and terminals that stay. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { POD } from './fake/cluster.ts'
import { closeBrowser, openApp, settled, type Opened } from './browser.ts'

let opened: Opened
let web = ''
beforeEach(async () => {
  opened = await openApp()
  await settled(opened)
  const { items } = await opened.app.cluster.client.list(POD, { namespace: 'shop', labelSelector: 'app=web' })
  web = items[0]?.metadata.name ?? ''
})
afterEach(() => opened[Symbol.asyncDispose]())
afterAll(closeBrowser)

const log = () => opened.page.getByRole('log')
const lines = async () =>
  Number(/(\d+) lines/.exec((await opened.page.getByText(/\d+ lines since/).innerText()).replaceAll('\u202f', ''))?.[1])

describe('a log', () => {
  it('streams, and stands still while it is paused', async () => {
    const { page } = opened
    await opened.go(`/pods/shop/${web}?tab=logs`)
    await log().getByText('POST /cart').first().waitFor()
    const before = await lines()
    await expect.poll(lines).toBeGreaterThan(before + 3)
    await page.keyboard.press('p')
    await page.getByText('Paused', { exact: true }).waitFor()
    await page.getByRole('button', { name: /\d+ new/ }).click()
    await page.getByText('following').waitFor()
  })

  it('marks what is searched for and steps through it', async () => {
    const { page } = opened
    await opened.go(`/pods/shop/${web}?tab=logs`)
    await log().getByText('POST /cart').first().waitFor()
    await page.keyboard.press('Control+f')
    await page.keyboard.type('timeout')
    await log().locator('mark').first().waitFor()
    await page.keyboard.press('Enter')
    await expect.poll(() => log().locator('mark.on').count()).toBeGreaterThan(0)
    await page.getByText(/^\d+ of \d+$/).waitFor()
  })

  it('shows only the levels that are wanted', async () => {
    const { page } = opened
    await opened.go(`/pods/shop/${web}?tab=logs`)
    await page.getByText(/^Error \d+/).click()
    await expect.poll(async () => (await log().getByText('POST /cart').count()) + (await log().getByText('heap').count())).toBe(0)
    await log().getByText('upstream timeout').first().waitFor()
  })

  it('shows the run before', async () => {
    const { page } = opened
    await opened.go('/pods')
    await page.getByText('31 of 31').waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('l')
    await page.getByRole('button', { name: 'Previous run' }).click()
    await log().getByText('killed: out of memory, exit 137').waitFor()
  })

  it('goes on after a break, says how long it was, and that nothing is missing', async () => {
    const { page, app } = opened
    await opened.go(`/pods/shop/${web}?tab=logs`)
    await log().getByText('POST /cart').first().waitFor()
    // One line in eight: the mark stays on screen however long it takes to connect again.
    await page.getByText(/^Error \d+/).click()
    app.face.away = true
    app.face.drop()
    await page.getByText(/Lost .*, reconnecting/).waitFor()
    await page.getByText('Connection lost.', { exact: true }).waitFor()
    app.face.away = false
    await log()
      .getByText(/Connection lost .* lines fetched again, none missing\./)
      .waitFor({ timeout: 30_000 })
    const times = await page.evaluate<string[]>(`[...document.querySelectorAll('[role=log] time')].map((el) => el.title)`)
    expect(times).toEqual([...new Set(times)].toSorted())
  })

  it('is downloaded as it is', async () => {
    const { page } = opened
    await opened.go(`/pods/shop/${web}?tab=logs`)
    await log().getByText('POST /cart').first().waitFor()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download what is here' }).click(),
    ])
    expect(download.suggestedFilename()).toBe(`${web}-app.log`)
  })

  it('lets the container be chosen', async () => {
    const { page } = opened
    await opened.go(`/pods/shop/${web}?tab=logs`)
    await page.getByRole('combobox', { name: 'Container' }).click()
    await page.getByRole('option', { name: 'proxy' }).click()
    await page.waitForURL((url) => url.hash.includes('container=proxy'))
    await page.getByRole('log', { name: 'Log of proxy' }).waitFor()
  })
})

describe('a terminal', () => {
  const screen = () => opened.page.locator('.xterm-rows:visible')

  it('runs what is typed, and survives a change of page', async () => {
    const { page } = opened
    await opened.go(`/pods/shop/${web}`)
    await page.getByRole('button', { name: 'Shell' }).click()
    await screen().getByText(`${web} $`).first().waitFor()
    await page.keyboard.type('echo $((6*7))\n')
    await screen().getByText('42', { exact: true }).waitFor()
    await page.getByRole('link', { name: 'Overview' }).click()
    await page.getByText('Needs you').waitFor()
    await screen().getByText('42', { exact: true }).waitFor()
    await page.keyboard.press('Control+j')
    await expect.poll(() => screen().count()).toBe(0)
    await page.keyboard.press('Control+j')
    await screen().getByText('42', { exact: true }).waitFor()
  })

  it('says how it ended, and starts again', async () => {
    const { page } = opened
    await opened.go(`/pods/shop/${web}`)
    await page.getByRole('button', { name: 'Shell' }).waitFor()
    await page.keyboard.press('s')
    await screen().getByText(`${web} $`).first().waitFor()
    await page.keyboard.type('exit 3\n')
    await page.getByText('The shell ended with exit code 3.').waitFor()
    await page.getByRole('button', { name: 'Start again' }).click()
    await expect.poll(() => page.getByText('The shell ended with exit code 3.').count()).toBe(0)
  })

  it('takes what is pasted, and keeps several tabs', async () => {
    const { page } = opened
    await opened.go(`/pods/shop/${web}`)
    await page.getByRole('button', { name: 'Shell' }).waitFor()
    await page.keyboard.press('s')
    await screen().getByText(`${web} $`).first().waitFor()
    await page.evaluate('navigator.clipboard.writeText("echo $((3*3))\\r")')
    await page.keyboard.press('Control+Shift+v')
    await screen().getByText('9', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Terminal on this computer' }).click()
    await screen().getByText('local $').waitFor()
    await page
      .getByRole('group', { name: 'Open terminals' })
      .getByRole('button', { name: `${web}: app`, exact: true })
      .click()
    await screen().getByText('9', { exact: true }).waitFor()
  })
})
