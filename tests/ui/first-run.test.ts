/** Launch, deploy, open: from nothing to something that runs, by clicks. */
import { afterAll, describe, expect, it } from 'vitest'
import { MACHINE } from './fake/cluster.ts'
import { closeBrowser, openApp } from './browser.ts'

afterAll(closeBrowser)

describe('the first run', () => {
  it('brings up a node with named phases, deploys what is filled in, and leads to where it can be opened', async () => {
    await using opened = await openApp({ empty: true, stepMs: 80 })
    const { page } = opened
    await page.getByRole('button', { name: 'Start a node on this computer' }).click()
    await page.getByText('Install container runtime').waitFor()
    await page.getByText('Ready. It takes pods.').waitFor()

    await page.getByRole('main').getByRole('link', { name: 'Deploy' }).click()
    await expect.poll(() => page.getByRole('combobox', { name: 'Image' }).inputValue()).toBe('flotilla.local/demo:1')
    await page.getByText('2 objects made:').waitFor()
    await page.getByRole('button', { name: 'Deploy to default' }).click()

    await page.getByText('3 of 3 ready').waitFor()
    const open = page.getByRole('link', { name: 'Open', exact: true })
    expect(await open.getAttribute('href')).toMatch(/^http:\/\/10\.77\.0\.12:3\d{4}$/)
    expect(await open.getAttribute('rel')).toContain('noopener')
    expect(opened.errors).toEqual([])
  })

  it('says why a node on this computer is not possible, and offers a machine over SSH instead', async () => {
    await using opened = await openApp({ empty: true, lacksSandbox: 'It needs root on Linux.' })
    const { page } = opened
    await page.getByText('It needs root on Linux.').waitFor()
    expect(await page.getByRole('button', { name: 'Start a node on this computer' }).count()).toBe(0)
    await page.getByRole('button', { name: 'Add over SSH' }).click()
    await page.getByRole('dialog', { name: 'Add machine' }).waitFor()
  })

  it('stops a set-up when asked, and goes on from there', async () => {
    await using opened = await openApp({ empty: true, stepMs: 300 })
    const { page, app } = opened
    await page.getByRole('button', { name: 'Start a node on this computer' }).click()
    await page.getByRole('listitem').filter({ hasText: 'Preflight' }).waitFor()
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByText('Set-up was stopped.').waitFor()
    expect((await app.cluster.client.get(MACHINE, { name: 'sandbox-1' })).status.phase).toBe('Failed')
    await page.getByRole('button', { name: 'Retry' }).click()
    await page.getByText('Ready. It takes pods.').waitFor()
  })
})
