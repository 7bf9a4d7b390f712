/** Helm's pages over a fake plane: the releases are real Secrets, the program is an imitation. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { closeBrowser, openApp, type Opened } from './browser.ts'
import { storeRelease } from './fake/helm.ts'
import { SECRET } from './fake/cluster.ts'

let opened: Opened
beforeAll(async () => void (opened = await openApp()))
afterEach(async () => {
  expect(opened.errors).toEqual([])
  Object.assign(opened.app.options, { helmFails: undefined, helmStepMs: undefined, lacksHelm: undefined })
  await opened.go('/settings')
})
afterAll(async () => {
  await opened[Symbol.asyncDispose]()
  await closeBrowser()
})

/** A release of two revisions, for one test alone. */
async function release(name: string): Promise<void> {
  const { client } = opened.app.cluster
  const shared = { name, namespace: 'ci' }
  await storeRelease(client, { ...shared, version: 1, status: 'superseded', description: 'Install complete', config: { replicas: 4 } })
  await storeRelease(client, { ...shared, version: 2, status: 'deployed', description: 'Upgrade complete', config: { greeting: 'servus' } })
}

const dialog = () => opened.page.getByRole('dialog')
const statuses = async (name: string) => {
  const { items } = await opened.app.cluster.client.list(SECRET, { namespace: 'ci', labelSelector: `owner=helm,name=${name}` })
  return items.map(({ metadata }) => `${metadata.labels?.['version']} ${metadata.labels?.['status']}`).toSorted()
}

describe('releases', () => {
  it('are listed with chart, version and state, and follow what Helm does elsewhere', async () => {
    const { page } = opened
    await opened.go('/helm')
    const row = page.getByRole('row', { name: /^web/ })
    await row.getByText('storefront-1.4.0').waitFor()
    await row.getByText('Deployed').waitFor()
    await page
      .getByRole('row', { name: /metrics/ })
      .getByText('Failed')
      .waitFor()
    const { client } = opened.app.cluster
    await storeRelease(client, { name: 'blog', namespace: 'home', version: 1, status: 'deployed', description: 'Install complete' })
    await page.getByRole('row', { name: /blog/ }).getByText('storefront-1.4.0').waitFor()
    await page.getByRole('searchbox').fill('failed')
    await row.waitFor({ state: 'detached' })
  })

  it('show values, manifest and what became of the objects', async () => {
    const { page } = opened
    await opened.go('/helm/releases/shop/web')
    await page.getByText('web answers at http://web.shop.svc').waitFor()
    await page.getByRole('link', { name: 'Values' }).click()
    await page.getByText('greeting: servus').waitFor()
    await page.getByText('Computed').click()
    await page.getByText('repository: shop/web').waitFor()
    await page.getByRole('link', { name: /^Resources/ }).click()
    await page
      .getByRole('row', { name: /ConfigMap/ })
      .getByText('Missing')
      .waitFor()
    await page
      .getByRole('row', { name: /Deployment/ })
      .getByText('3/3')
      .waitFor()
    await page.getByRole('link', { name: 'Manifest' }).click()
    await page.getByText('# Source: storefront/templates/service.yaml').waitFor()
  })

  it('roll back after a look at the difference, with the command shown', async () => {
    const { page } = opened
    await release('back')
    await opened.go('/helm/releases/ci/back?tab=history')
    await page.getByText('Revision 1', { exact: true }).click()
    await page.getByText('Compared with revision 2').waitFor()
    await page.getByRole('button', { name: 'Roll back to revision 1' }).click()
    await dialog().getByText('helm rollback back 1 --wait').waitFor()
    await dialog().getByRole('button', { name: 'Roll back' }).click()
    await dialog().getByText('back is rolled back').waitFor()
    expect(await statuses('back')).toEqual(['1 superseded', '2 superseded', '3 deployed'])
    await dialog().getByRole('button', { name: 'Close' }).last().click()
  })

  it('are uninstalled after one question that says what goes', async () => {
    const { page } = opened
    await release('gone')
    await opened.go('/helm/releases/ci/gone')
    await page.getByText('storefront').first().waitFor()
    await page.keyboard.press('Delete')
    await dialog().getByText('3 objects are deleted').waitFor()
    await dialog().getByRole('button', { name: 'Uninstall' }).click()
    await dialog().getByText('gone is uninstalled').waitFor()
    await dialog().getByRole('button', { name: 'Close' }).last().click()
    await page.getByRole('row', { name: /metrics/ }).waitFor()
    expect(await statuses('gone')).toEqual([])
  })

  it('that were cut off say how to go on', async () => {
    const { client } = opened.app.cluster
    await release('cut')
    await storeRelease(client, { name: 'cut', namespace: 'ci', version: 3, status: 'pending-upgrade', description: 'Preparing upgrade' })
    await opened.go('/helm/releases/ci/cut')
    await opened.page.getByText('An operation was cut off').waitFor()
    await opened.page.getByRole('button', { name: 'Roll back to revision 2' }).waitFor()
  })
})

describe('an upgrade', () => {
  it('checks values against the schema, shows what changes, and runs in phases', async () => {
    const { page } = opened
    await release('up')
    await opened.go('/helm/releases/ci/up/upgrade')
    const editor = page.getByRole('textbox', { name: 'Values that differ' })
    await editor.getByText('greeting: servus').waitFor()
    await page.getByText('Fits the chart’s schema').waitFor()
    await editor.fill('replicas: 0\n')
    await page.getByText('Line 1: replicas must be at least 1').waitFor()
    expect(await page.getByRole('button', { name: /^Upgrade/ }).isDisabled()).toBe(true)
    await editor.fill('replicas: 5\n')
    await page.getByRole('button', { name: 'Dry run' }).click()
    await page.getByText('Deployment').first().waitFor()
    await page.getByText('changed').first().waitFor()
    await page.getByText('1 object stays as it is').waitFor()
    await page.keyboard.press('Control+Enter')
    await dialog().getByText('up is upgraded').waitFor()
    await dialog().getByText('helm upgrade up ./chart --reset-values').waitFor()
    expect(await statuses('up')).toContain('3 deployed')
    await dialog().getByRole('button', { name: 'Close' }).last().click()
  })

  it('shows why Helm failed, and can be cancelled', async () => {
    const { page } = opened
    Object.assign(opened.app.options, { helmFails: 'UPGRADE FAILED: timed out waiting for the condition' })
    await release('fails')
    await opened.go('/helm/releases/ci/fails/upgrade')
    await page.getByText('Fits the chart’s schema').waitFor()
    await page.keyboard.press('Control+Enter')
    await dialog().getByText('fails could not be upgraded.').waitFor()
    await dialog().getByText('timed out waiting for the condition').first().waitFor()
    await dialog().getByRole('button', { name: 'Close' }).last().click()
    Object.assign(opened.app.options, { helmFails: undefined, helmStepMs: 60_000 })
    await page.keyboard.press('Control+Enter')
    await dialog().getByRole('button', { name: 'Cancel' }).click()
    await dialog().getByText('helm upgrade was cancelled').waitFor()
    expect(await statuses('fails')).toContain('2 deployed')
    await dialog().getByRole('button', { name: 'Close' }).last().click()
  })
})

describe('an installation', () => {
  it('reads a chart from a folder and takes its name', async () => {
    const { page } = opened
    await opened.go('/helm/install')
    await page.getByLabel('Path').fill('/nowhere')
    await page.getByRole('button', { name: 'Read chart' }).click()
    await page.getByText('No chart can be read from /nowhere.').waitFor()
    await page.getByLabel('Path').fill('/charts/storefront')
    await page.getByRole('button', { name: 'Read chart' }).click()
    await page.getByText('storefront 1.5.0').waitFor()
    await page.getByLabel('Release').fill('window')
    await page.getByText('helm install window /charts/storefront --create-namespace').waitFor()
    await page.getByRole('button', { name: /^Install/ }).click()
    await dialog().getByText('window is installed').waitFor()
    await page.waitForURL(/#\/helm\/releases\/default\/window/)
    await dialog().getByRole('button', { name: 'Close' }).last().click()
  })

  it('offers the charts and versions of a repository', async () => {
    const { page } = opened
    await opened.go('/helm/install')
    await page.getByText('Repository', { exact: true }).click()
    await page.getByLabel('Address').fill('https://charts.example.com')
    await page.getByRole('button', { name: 'Read index' }).click()
    await page.locator('option[value="storefront"]').waitFor({ state: 'attached' })
    await page.getByLabel('Chart name').fill('storefront')
    await page.locator('option[value="1.4.0"]').waitFor({ state: 'attached' })
    await page.getByLabel('Version').fill('1.4.0')
    await page.getByRole('button', { name: 'Read chart' }).click()
    await page.getByText('--repo https://charts.example.com --version 1.4.0').waitFor()
  })
})

describe('without Helm', () => {
  it('lists and history work, nothing is offered that cannot be done, and what is missing is named', async () => {
    const { page } = opened
    Object.assign(opened.app.options, { lacksHelm: 'No folder of PATH has a program of that name.' })
    await opened.go('/helm')
    await page.getByText('There is no helm on this computer.').waitFor()
    await page.getByRole('row', { name: /^web/ }).getByText('storefront-1.4.0').waitFor()
    expect(await page.getByRole('link', { name: 'Install a chart' }).count()).toBe(0)
    await opened.go('/helm/releases/shop/web?tab=history')
    await page.getByText('Compared with revision 3').waitFor()
    await page.getByText('Install Helm 3.8 or newer.').waitFor()
    for (const name of ['Upgrade', 'Test', /Roll back/]) expect(await page.getByRole('button', { name }).count()).toBe(0)
  })
})
