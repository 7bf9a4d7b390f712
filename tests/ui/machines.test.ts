/** Machines: adding them, with everything that can go wrong; closing, draining and removing them. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Locator } from 'playwright-core'
import { MACHINE, NODE, POD } from './fake/cluster.ts'
import { HOSTS, KEY } from './fake/machines.ts'
import { closeBrowser, openApp, settled, type Opened } from './browser.ts'

let opened: Opened
beforeEach(async () => {
  opened = await openApp({ stepMs: 60 })
  await settled(opened)
  await opened.go('/machines')
  await opened.page.getByText('3 of 4 ready').waitFor()
})
afterEach(() => opened[Symbol.asyncDispose]())
afterAll(closeBrowser)

async function dialogFor(host: string, password?: string): Promise<Locator> {
  const { page } = opened
  await page.getByRole('main').getByRole('button', { name: 'Add machine' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Host').fill(host)
  await dialog.getByLabel('User').fill('mira')
  await dialog.getByLabel('Node name').fill('tender')
  if (password !== undefined) {
    await dialog.getByText('Password', { exact: true }).click()
    await dialog.getByLabel('Password', { exact: true }).last().fill(password)
  }
  await page.keyboard.press('Enter')
  return dialog
}
const has = async (name: string) => (await opened.app.cluster.client.list(MACHINE)).items.some((machine) => machine.metadata.name === name)

describe('adding a machine', () => {
  it('has the key confirmed, shows the report, follows the phases, and retries from the one that failed', async () => {
    const { page } = opened
    const dialog = await dialogFor(HOSTS.stopsAtJoin)
    await dialog.getByText('Is this the key of 192.168.1.57?').waitFor()
    await dialog.getByText(KEY.fingerprint).waitFor()
    expect(await has('tender')).toBe(false)
    await dialog.getByRole('button', { name: 'Yes, it is mine' }).click()
    await dialog.getByText('This machine can be a node.').waitFor()
    await dialog.getByText('Swap is on, 2 Gi').waitFor()
    expect(await has('tender')).toBe(false)
    await dialog.getByRole('button', { name: 'Add machine' }).click()
    await dialog.getByText('No packet came back from skiff on UDP 8472.').waitFor()
    await dialog.getByText('Allow UDP 8472 on tender, then retry.').waitFor()
    await dialog.getByText(KEY.fingerprint).waitFor()
    await dialog.getByRole('button', { name: 'Retry from Join network' }).click()
    await dialog.getByText('tender has joined.').waitFor()
    await dialog.getByRole('button', { name: 'Done' }).click()
    await page.getByText('4 of 5 ready').waitFor()
  })

  it('goes on while it is hidden, and is found again', async () => {
    const { page } = opened
    const dialog = await dialogFor(`known-${HOSTS.stopsAtJoin}`)
    await dialog.getByRole('button', { name: 'Add machine' }).click()
    await dialog.getByRole('button', { name: 'Hide' }).last().click()
    await page.getByText('4 of 5 ready').waitFor()
  })

  it.each([
    ['a host that does not resolve', HOSTS.unknownName, undefined, 'was not found', 'Host'],
    ['a wrong password', 'known.example', 'wrong', 'The password was refused.', 'Password'],
  ])('says what, why and next of %s, marks the field, and leaves nothing behind', async (_what, host, password, text, field) => {
    const dialog = await dialogFor(host, password)
    await dialog.getByRole('alert').getByText(text).waitFor()
    expect(await dialog.getByRole('textbox', { name: field, exact: true }).last().getAttribute('aria-invalid')).toBe('true')
    expect(await has('tender')).toBe(false)
  })

  it('treats a changed key as danger: both fingerprints, and more than a click', async () => {
    const dialog = await dialogFor(HOSTS.changedKey)
    await dialog.getByText('The key of 192.168.1.66 has changed.').waitFor()
    await dialog.getByText('SHA256:oldold').waitFor()
    await dialog.getByText('~/.ssh/known_hosts line 12').waitFor()
    const replace = dialog.getByRole('button', { name: 'Replace the pinned key' })
    expect(await replace.isDisabled()).toBe(true)
    await opened.page.keyboard.press('Enter')
    expect(await dialog.getByText('This machine can be a node.').count()).toBe(0)
    await dialog.getByRole('checkbox', { name: 'I know why the key changed.' }).check()
    await replace.click()
    await dialog.getByText('This machine can be a node.').waitFor()
  })

  it('does not begin where a check failed, and checks again', async () => {
    const dialog = await dialogFor(HOSTS.fullDisk)
    await dialog.getByRole('button', { name: 'Yes, it is mine' }).click()
    await dialog.getByText('0.2 Gi free on /var').waitFor()
    await dialog.getByText('Free at least 2 Gi, then check again.').waitFor()
    expect(await dialog.getByRole('button', { name: 'Add machine' }).count()).toBe(0)
    await dialog.getByRole('button', { name: 'Check again' }).click()
    await dialog.getByText('1 in the way').waitFor()
  })

  it('asks for what is missing at each field', async () => {
    const { page } = opened
    await page.getByRole('main').getByRole('button', { name: 'Add machine' }).click()
    await page.keyboard.press('Enter')
    await page.getByText('A host name or an address is needed.').waitFor()
    await page.getByText('A user is needed.').waitFor()
  })

  it('makes a light one on this computer', async () => {
    const { page } = opened
    await page.getByRole('main').getByRole('button', { name: 'Add machine' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('On this computer', { exact: true }).click()
    await dialog.getByRole('checkbox', { name: 'Limit its memory' }).check()
    await dialog.getByRole('textbox', { name: 'Memory' }).fill('2Gi')
    await dialog.getByRole('button', { name: 'Start sandbox' }).click()
    await dialog.getByText('sandbox-1 has joined.').waitFor()
    expect((await opened.app.cluster.client.get(MACHINE, { name: 'sandbox-1' })).spec.sandbox?.memoryBytes).toBe(2 ** 31)
  })
})

describe('looking after machines', () => {
  const menu = async (name: string, entry: string) => {
    await opened.page.getByRole('button', { name: `More actions for ${name}` }).click()
    await opened.page.getByRole('menuitem', { name: entry }).click()
  }
  const cordoned = async (name: string) => (await opened.app.cluster.client.get(NODE, { name })).spec.unschedulable === true

  it('cordons with one click, and takes it back with one key', async () => {
    const { page } = opened
    await menu('skiff', 'Cordon')
    await expect.poll(() => cordoned('skiff')).toBe(true)
    await page.getByText('Cordoned skiff: no new pods go there').waitFor()
    await page.keyboard.press('Control+z')
    await expect.poll(() => cordoned('skiff')).toBe(false)
  })

  it('drains after saying what will move, and is done when it has', async () => {
    const { page, app } = opened
    await menu('ketch', 'Drain…')
    const dialog = page.getByRole('dialog', { name: 'Drain ketch' })
    await dialog.getByText('1 pod belongs to the machine and stays.').waitFor()
    expect(await cordoned('ketch')).toBe(false)
    const go = dialog.getByRole('button', { name: /^Drain \d+ pods$/ })
    expect(await go.isDisabled()).toBe(true)
    await dialog.getByRole('checkbox').check()
    await go.click()
    await dialog.getByText(/^Done: \d+ pods moved away$/).waitFor()
    const left = (await app.cluster.client.list(POD)).items.filter((pod) => pod.spec.nodeName === 'ketch')
    expect(left.map((pod) => pod.metadata.ownerReferences?.[0]?.kind)).toEqual(['DaemonSet'])
  })

  it('removes after the question, and drops one that cannot be reached only when told to', async () => {
    const { page, app } = opened
    const skiff = await app.cluster.client.get(MACHINE, { name: 'skiff' })
    await app.cluster.client.update(
      MACHINE,
      {
        ...skiff,
        status: { ...skiff.status, link: { connected: false, since: skiff.metadata.creationTimestamp, lastError: 'no route to host' } },
      },
      { subresource: 'status' },
    )
    await page.getByText('No link').waitFor()
    await menu('skiff', 'Remove…')
    const dialog = page.getByRole('dialog', { name: 'Remove skiff?' })
    await dialog.getByText('its users and its other software are left').waitFor()
    await dialog.getByRole('button', { name: 'Remove skiff' }).click()
    await dialog.getByText('It does not answer on port 22.').waitFor()
    expect(await has('skiff')).toBe(true)
    await dialog.getByRole('checkbox', { name: /Drop it without cleaning up/ }).check()
    await dialog.getByRole('button', { name: 'Drop skiff' }).click()
    await expect.poll(() => has('skiff')).toBe(false)
  })

  it('opens a shell on the machine itself', async () => {
    const { page } = opened
    await page.getByRole('button', { name: 'Shell on skiff' }).click()
    await page.locator('.xterm-rows').getByText('mira@skiff $').waitFor()
  })
})
