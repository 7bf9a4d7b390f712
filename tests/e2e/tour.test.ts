/** The whole way by clicks: a machine over SSH, something on it, its log, a terminal in it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Node, Pod } from '../../electron/api/core/v1/types.gen.ts'
import { USERS } from '../hosts/lab/base-root.ts'
import { Lab } from '../hosts/lab/lab.ts'
import type { TestHost } from '../hosts/lab/test-host.ts'
import { openPage, type OpenPage } from './browser.ts'
import { App, until } from './cluster.ts'

let app: App
let lab: Lab
let host: TestHost
let opened: OpenPage

beforeAll(async () => {
  lab = await Lab.create()
  host = await lab.host()
  app = await App.create()
  await app.up(1)
  opened = await openPage(app.ready.ui)
})
afterAll(async () => {
  await opened?.[Symbol.asyncDispose]()
  await app?.[Symbol.asyncDispose]()
  await lab?.[Symbol.asyncDispose]()
})

describe('the tour', () => {
  it('adds a machine over SSH, with its key confirmed, and follows it until it is a node', async () => {
    const { page, shoot } = opened
    await page.getByRole('contentinfo').getByText('Live').waitFor()
    await shoot('overview-first-run')
    await page.getByRole('complementary', { name: 'Sections' }).getByRole('link', { name: 'Machines' }).click()
    await page.getByRole('main').getByRole('button', { name: 'Add machine' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Host').fill(host.address)
    await dialog.getByLabel('User').fill('ana')
    await dialog.getByLabel('Node name').fill('harbour')
    await dialog.getByText('Password', { exact: true }).click()
    await dialog.getByLabel('Password', { exact: true }).last().fill(USERS.ana.password)
    await page.keyboard.press('Enter')
    await dialog.getByText(`Is this the key of ${host.address}?`).waitFor()
    await shoot('add-machine-key')
    await dialog.getByRole('button', { name: 'Yes, it is mine' }).click()
    await dialog.getByText('This machine can be a node.').waitFor()
    await shoot('add-machine-report')
    await dialog.getByRole('button', { name: 'Add machine' }).click()
    await dialog.getByText('harbour has joined.').waitFor({ timeout: 120_000 })
    await shoot('add-machine-joined')
    await dialog.getByRole('button', { name: 'Done' }).click()
    await page.getByText('2 of 2 ready').first().waitFor()
    await shoot('machines')
    const { items } = await app.get<{ items: Node[] }>('nodes')
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['harbour', ...app.ready.nodes])
  })

  it('deploys, and sees 3 of 3 ready', async () => {
    const { page, shoot } = opened
    await page.getByRole('complementary', { name: 'Sections' }).getByRole('link', { name: 'Deploy', exact: true }).click()
    await expect.poll(() => page.getByRole('combobox', { name: 'Image' }).inputValue(), { timeout: 30_000 }).toBe('flotilla.local/demo:1')
    await page.getByText('2 objects made:').waitFor()
    await shoot('deploy')
    await page.getByRole('button', { name: 'Deploy to default' }).click()
    await page.getByText('3 of 3 ready').waitFor()
    await page.getByRole('status', { name: 'What was done' }).getByRole('button', { name: 'Dismiss' }).click()
    await shoot('workload')
    await until('pods run on both machines', async () => {
      const { items } = await app.get<{ items: Pod[] }>('pods')
      return new Set(items.map(({ spec }) => spec.nodeName)).size === 2
    })
  })

  it('reads a log line that a container on the new machine wrote', async () => {
    const { page, shoot } = opened
    const { items } = await app.get<{ items: Pod[] }>('pods')
    const pod = items.find(({ spec }) => spec.nodeName === 'harbour')?.metadata.name ?? ''
    await page.getByRole('complementary', { name: 'Sections' }).getByRole('link', { name: 'Pods' }).click()
    await page.getByText(pod).first().waitFor()
    await shoot('pods')
    await page.getByText(pod).first().dblclick()
    await page.getByRole('main').getByRole('link', { name: /^Logs/ }).click()
    await page
      .getByText(new RegExp(`line \\d+ from ${pod}`))
      .first()
      .waitFor()
    await shoot('logs')
  })

  it('types into a terminal in it and reads 42', async () => {
    const { page, shoot } = opened
    await page.getByRole('button', { name: 'Shell' }).click()
    const screen = page.locator('.xterm-rows:visible')
    await screen.getByText(/[#$]/).first().waitFor()
    await page.keyboard.type('echo $((6*7))\n')
    await screen.getByText('42', { exact: true }).waitFor()
    await shoot('terminal')
    await page.getByRole('complementary', { name: 'Sections' }).getByRole('link', { name: 'Overview' }).click()
    await page.getByText('Nothing needs you.').waitFor()
    await page.keyboard.press('Control+j')
    await shoot('overview')
    expect(opened.errors).toEqual([])
  })

  it('shows every section with what the cluster has', async () => {
    const { page, shoot } = opened
    const sections = page.getByRole('navigation', { name: 'Sections' })
    const paths = await sections.getByRole('link').evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? ''))
    expect(paths.length).toBeGreaterThanOrEqual(30)
    for (const path of paths) {
      await sections.locator(`a[href="${path}"]`).click()
      await page.getByRole('heading', { level: 1 }).first().waitFor()
      await expect.poll(() => page.locator('main .skel:visible').count()).toBe(0)
      await shoot(`section-${path.replace(/^.*[/#]/, '') || 'overview'}`)
    }
    expect(opened.errors).toEqual([])
  })

  it('removes the machine, and leaves nothing on it', async () => {
    const { page } = opened
    await page.keyboard.press('Escape')
    await page.getByRole('complementary', { name: 'Sections' }).getByRole('link', { name: 'Machines' }).click()
    await page.getByRole('button', { name: 'More actions for harbour' }).click()
    await page.getByRole('menuitem', { name: 'Remove' }).click()
    const dialog = page.getByRole('dialog')
    const sudo = dialog.getByLabel('Password', { exact: true })
    if (await sudo.count()) await sudo.last().fill(USERS.ana.password)
    await dialog.getByRole('button', { name: 'Remove' }).last().click()
    await until('it is gone', async () => (await app.kubectl('get', 'machine', 'harbour')).err.includes('NotFound'), 120_000)
    const left = await host.exec(
      'ls -d /opt/flotilla /var/lib/flotilla /run/flotilla /etc/cni/flotilla 2>/dev/null; ip -br link; nft list tables',
    )
    expect(left.stdout).not.toContain('flotilla')
  })
})
