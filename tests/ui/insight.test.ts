/** Figures over time, terminals as a page, and what happened. */
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

async function faults(): Promise<string[]> {
  await opened.page.evaluate(axe.source)
  const { violations } = await opened.page.evaluate<{ violations: { id: string }[] }>('axe.run()')
  return [...violations.map(({ id }) => id), ...opened.errors]
}

describe('figures', () => {
  const chart = (name: string) => opened.page.getByRole('figure', { name, exact: true })

  it('of the cluster are drawn, read as a table, and lead to who uses most', async () => {
    const { page } = opened
    await opened.go('/metrics')
    await chart('CPU').locator('canvas').waitFor()
    await page.getByRole('button', { name: 'ketch', exact: true }).waitFor()
    expect(await faults()).toEqual([])
    await page.getByText('Pods', { exact: true }).last().click()
    await page.getByRole('button', { name: 'Memory' }).click()
    const first = page.getByRole('rowheader').getByRole('button').first()
    const name = await first.innerText()
    await first.click()
    await page.getByRole('heading', { name }).waitFor()
    await page.getByRole('button', { name: 'As a table' }).click()
    await expect.poll(() => chart('Memory').getByRole('row').count()).toBeGreaterThan(30)
    expect(await faults()).toEqual([])
  })

  it('share what is pointed at, by keys too', async () => {
    const { page } = opened
    await opened.go('/metrics')
    await chart('CPU').locator('canvas').waitFor()
    await chart('CPU').getByRole('application').focus()
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('ArrowLeft')
    const at = () => chart('Memory').locator('figcaption > .dim').innerText()
    await expect.poll(at).toMatch(/^\d\d:\d\d:\d\d$/)
    expect(await chart('CPU').locator('figcaption > .dim').innerText()).toBe(await at())
  })

  it('of a pod have its requests, and are a part of pages of nodes and workloads', async () => {
    const { app } = opened
    const { items } = await app.cluster.client.list(POD, { namespace: 'shop', labelSelector: 'app=web' })
    await opened.go(`/pods/shop/${items[0]?.metadata.name}?tab=metrics`)
    await chart('CPU').getByText('Request').waitFor()
    await chart('CPU').getByText('proxy').waitFor()
    await opened.go('/machines/ketch?tab=metrics')
    await chart('CPU').locator('canvas').waitFor()
    await opened.go('/object/apps/v1/deployments/shop/web?tab=metrics')
    await chart('CPU').locator('canvas').waitFor()
  })
})

describe('terminals', () => {
  const screens = () => opened.page.locator('.xterm-rows:visible')

  it('stand on their page with the same sessions, and are split', async () => {
    const { page } = opened
    await opened.go('/terminal')
    await page.getByText('No terminal is open').waitFor()
    await page.getByRole('button', { name: 'This computer' }).click()
    await screens().getByText('local $').first().waitFor()
    await page.keyboard.type('echo $((6*7))\n')
    await screens().getByText('42', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Split to the right' }).click()
    await expect.poll(() => screens().count()).toBe(2)
    expect(await faults()).toEqual([])
    await opened.go('/pods')
    await screens().getByText('42', { exact: true }).waitFor()
    await opened.go('/terminal')
    await screens().getByText('42', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Close this pane' }).last().click()
    await expect.poll(() => screens().count()).toBe(1)
  })

  it('can be searched', async () => {
    const { page } = opened
    await opened.go('/terminal')
    await page.getByRole('button', { name: 'This computer' }).click()
    await screens().getByText('local $').first().waitFor()
    await page.keyboard.type('echo needle\necho needle\n')
    await page.keyboard.press('Control+Shift+f')
    await page.getByRole('textbox', { name: 'Find in terminal' }).fill('needle')
    await page.getByText(/^\d of 4$/).waitFor()
  })

  it('attach to a container, and look into one with another image', async () => {
    const { page, app } = opened
    await opened.go('/terminal')
    await page.getByRole('button', { name: 'Pod…' }).first().click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('combobox', { name: 'Namespace' }).click()
    await page.getByRole('option', { name: 'shop' }).click()
    await dialog.getByText('Debug container').click()
    await dialog.getByLabel('Image').fill('busybox:1.36')
    expect(await faults()).toEqual([])
    await dialog.getByRole('button', { name: 'Open' }).click()
    const debugged = async () => {
      const { items } = await app.cluster.client.list(POD, { namespace: 'shop' })
      return items.flatMap(({ spec }) => spec.ephemeralContainers ?? []).map(({ name, image }) => [name, image])
    }
    await expect.poll(debugged).toEqual([['debug-1', 'busybox:1.36']])
    await dialog.getByText(/^Starting/).waitFor()
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await dialog.getByText('Attach', { exact: true }).click()
    await dialog.getByRole('button', { name: 'Open' }).click()
    await screens().getByText('$').first().waitFor()
  })

  it('copy files into a container and out of it', async () => {
    const { page } = opened
    await opened.go('/terminal')
    await page.getByRole('button', { name: 'Copy files' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('combobox', { name: 'Namespace' }).click()
    await page.getByRole('option', { name: 'shop' }).click()
    await dialog
      .getByLabel('Files')
      .setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('what to remember\n'.repeat(9000)) })
    await dialog.getByRole('button', { name: 'Upload' }).click()
    await dialog.getByText('1 file is in /tmp.').waitFor()
    expect(await faults()).toEqual([])
    await dialog.getByText('Out of the container').click()
    await dialog.getByLabel('File or folder in the container').fill('/tmp/notes.txt')
    const [download] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('button', { name: 'Download' }).click()])
    expect(download.suggestedFilename()).toBe('notes.txt')
    expect(await readFile(await download.path(), 'utf8')).toBe('what to remember\n'.repeat(9000))
    await dialog.getByLabel('File or folder in the container').fill('/tmp/none')
    await dialog.getByRole('button', { name: 'Download' }).click()
    await dialog.getByText('tar: none: No such file or directory').waitFor()
  })
})
