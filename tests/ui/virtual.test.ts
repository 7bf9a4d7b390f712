/** Virtual machines: chosen with sliders, and shut down, suspended and started on their page. */
import axe from 'axe-core'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MACHINE } from './fake/cluster.ts'
import { settlePower } from './fake/virtual.ts'
import { closeBrowser, openApp, settled, type Opened } from './browser.ts'

const GIB = 2 ** 30
let opened: Opened
beforeEach(async () => {
  opened = await openApp({ stepMs: 60 })
  await settled(opened)
  await opened.go('/machines')
  await opened.page.getByText('3 of 4 ready').waitFor()
})
afterEach(() => opened[Symbol.asyncDispose]())
afterAll(closeBrowser)

const client = () => opened.app.cluster.client
const violations = async () => {
  await opened.page.evaluate(axe.source)
  const found = await opened.page.evaluate<{ violations: { id: string }[] }>('axe.run()')
  return found.violations.map(({ id }) => id)
}

async function addVirtual(): Promise<void> {
  const { page } = opened
  await page.getByRole('main').getByRole('button', { name: 'Add machine' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('VM', { exact: true }).click()
  await dialog.getByText('No hardware virtualization').waitFor()
  await dialog.getByText('The first machine takes a few minutes', { exact: false }).waitFor()
  const memory = dialog.getByLabel('Memory')
  expect(await memory.getAttribute('aria-valuetext')).toBe('2 Gi')
  await memory.focus()
  await page.keyboard.press('ArrowLeft')
  expect(await memory.getAttribute('aria-valuetext')).toBe('1.5 Gi')
  await dialog.getByLabel('Processors').focus()
  await page.keyboard.press('End')
  await dialog.getByLabel('Disk').focus()
  await page.keyboard.press('Home')
  expect(await violations()).toEqual([])
  await dialog.getByRole('button', { name: 'Start virtual machine' }).click()
  await dialog.getByText('node-9 has joined.').waitFor()
  await dialog.getByRole('button', { name: 'Done' }).click()
}

describe('a virtual machine', () => {
  it('gets what the sliders say', async () => {
    await addVirtual()
    const { spec } = await client().get(MACHINE, { name: 'node-9' })
    expect(spec).toMatchObject({ provider: 'qemu', qemu: { cpus: 4, memoryBytes: 1.5 * GIB, diskBytes: 8 * GIB, power: 'On' } })
  })

  it('is suspended, resumed and shut down on its page, and shows its serial log', async () => {
    await addVirtual()
    await settlePower(client(), 'node-9')
    const { page } = opened
    const button = (name: string) => page.getByRole('main').getByRole('button', { name, exact: true })
    await opened.go('/machines/node-9')
    await page.getByText('QEMU, emulated').waitFor()
    const turn = async (name: string, power: string, word: string) => {
      await button(name).click()
      await expect.poll(async () => (await client().get(MACHINE, { name: 'node-9' })).spec.qemu?.power).toBe(power)
      await settlePower(client(), 'node-9')
      await page.getByRole('main').getByText(word, { exact: true }).first().waitFor()
    }
    await turn('Suspend', 'Suspended', 'Suspended')
    await turn('Resume', 'On', 'Ready')
    await turn('Shut down', 'Off', 'Stopped')
    await button('Start').waitFor()
    expect(await violations()).toEqual([])
    await page
      .getByRole('link', { name: 'Serial log' })
      .or(page.getByRole('tab', { name: 'Serial log' }))
      .first()
      .click()
    await page.getByText('node-9 login: root (automatic login)').waitFor()
    expect(await page.getByLabel('Serial log', { exact: true }).last().textContent()).not.toContain('\u001B')
  })
})
