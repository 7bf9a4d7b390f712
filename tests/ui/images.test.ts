/** Images on the machines. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { closeBrowser, openApp, type Opened } from './browser.ts'
import { SECRET } from './fake/cluster.ts'

let opened: Opened
beforeAll(async () => void (opened = await openApp()))
afterEach(() => expect(opened.errors).toEqual([]))
afterAll(async () => {
  await opened[Symbol.asyncDispose]()
  await closeBrowser()
})
const dialog = () => opened.page.getByRole('dialog')
const row = (name: RegExp) => opened.page.getByRole('row', { name })

describe('images', () => {
  it('are listed with machines, size and who uses them', async () => {
    const { page } = opened
    await opened.go('/images')
    await row(/checkout/)
      .getByText('In use')
      .waitFor()
    await row(/demo/).getByText('Part of Flotilla').waitFor()
    await row(/checkout/).click()
    const panel = page.getByRole('complementary', { name: 'The image that is chosen' })
    await panel
      .getByRole('link', { name: /^shop\/checkout-/ })
      .first()
      .waitFor()
    await page.keyboard.press('Escape')
  })

  it('are fetched by the machines that are chosen, and what fails on one is told of that one', async () => {
    const { page } = opened
    await page.getByRole('button', { name: 'Fetch an image' }).click()
    await dialog().getByLabel('Image').fill('Not an image')
    await dialog().getByText('Not a name of an image').waitFor()
    await dialog().getByLabel('Image').fill('nginx:1.29')
    await dialog().getByText('ketch').click()
    await dialog().getByRole('button', { name: 'Fetch on 3 machines' }).click()
    await dialog().getByText('dory could not fetch nginx:1.29.').waitFor()
    await dialog().getByText('moth').waitFor()
    expect(await dialog().getByText('ketch').count()).toBe(0)
    await dialog().getByRole('button', { name: 'Close' }).last().click()
  })

  it('that no pod uses go after a look at which those are', async () => {
    const { page } = opened
    await page.getByRole('button', { name: 'Remove unused' }).click()
    await dialog().getByText('docker.io/library/busybox:1.36').first().waitFor()
    expect(await dialog().getByText('flotilla.local/demo:1').count()).toBe(0)
    await dialog().getByRole('checkbox', { name: 'moth' }).uncheck()
    await dialog()
      .getByRole('button', { name: /^Remove \d+ images/ })
      .click()
    await dialog().getByText('Done').first().waitFor()
    await dialog().getByRole('button', { name: 'Close' }).last().click()
    await row(/busybox/)
      .getByText('moth', { exact: true })
      .waitFor()
    await row(/checkout/)
      .getByText('In use')
      .waitFor()
  })

  it('of private registries get credentials, without the password showing', async () => {
    const { page } = opened
    await page.getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name: 'Registry credentials…' }).click()
    await dialog().getByLabel('Registry').fill('ghcr.io')
    await dialog().getByLabel('User').fill('mira')
    await dialog().getByLabel('Password or token').fill('hunter3')
    await dialog().getByLabel('Namespace').fill('shop')
    await dialog().getByLabel('Service account').fill('deployer')
    await dialog().getByText('kubectl create secret docker-registry registry-ghcr-io -n shop').waitFor()
    expect(await dialog().getByText('hunter3').count()).toBe(0)
    await dialog().getByRole('button', { name: 'Save' }).click()
    await page.getByText('Credentials for ghcr.io are saved').waitFor()
    const { client } = opened.app.cluster
    expect((await client.get(SECRET, { namespace: 'shop', name: 'registry-ghcr-io' })).type).toBe('kubernetes.io/dockerconfigjson')
  })
})
