/** An image that cannot be had: told at the pod, at its workload and on the overview, with the way out. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DEPLOYMENT } from './fake/cluster.ts'
import { closeBrowser, openApp, settled, type Opened } from './browser.ts'

const WRONG = 'docker.io/library/ngnix:nope'
const TITLE = `The image ${WRONG} cannot be pulled.`
const WHY = 'docker.io has no library/ngnix:nope. Check the spelling of the name and of the tag.'

let opened: Opened
beforeEach(async () => {
  opened = await openApp()
  await settled(opened)
  await opened.go('/deploy')
  await opened.page.getByText('There is room:').waitFor()
  await opened.page.getByRole('combobox', { name: 'Image' }).fill(WRONG)
  await opened.page.getByRole('textbox', { name: 'Name' }).fill('typo')
  await opened.page.getByText('Deployment typo, Service typo').waitFor()
  await opened.page.keyboard.press('Control+Enter')
  await opened.page.getByRole('heading', { name: 'typo' }).waitFor()
})
afterEach(() => opened[Symbol.asyncDispose]())
afterAll(closeBrowser)

describe('an image that does not exist', () => {
  it('is told on the workload, with its cause, and mended from there', async () => {
    const { page, app } = opened
    const alert = page.getByRole('alert').filter({ hasText: TITLE })
    await alert.getByText(WHY).waitFor()
    await page.getByText('ImagePullBackOff').first().waitFor()
    await alert.getByRole('button', { name: 'Change image…' }).click()

    const dialog = page.getByRole('dialog', { name: 'Change the image of default/typo' })
    const field = dialog.getByRole('textbox', { name: 'Image of typo' })
    expect(await field.inputValue()).toBe(WRONG)
    await field.fill('Not An Image')
    await dialog.getByText('Not a name of an image').waitFor()
    expect(await dialog.getByRole('button', { name: 'Change image' }).isDisabled()).toBe(true)
    await field.fill('docker.io/library/nginx:1.29')
    await page.keyboard.press('Enter')

    await page.getByText('3 of 3 ready').waitFor()
    await alert.waitFor({ state: 'detached' })
    const { spec } = await app.cluster.client.get(DEPLOYMENT, { name: 'typo', namespace: 'default' })
    expect(spec.template.spec.containers.map((c) => c.image)).toEqual(['docker.io/library/nginx:1.29'])

    await page.keyboard.press('Control+z')
    await alert.waitFor()
  })

  it('is told on the pod, in its events, and among what needs the person', async () => {
    const { page } = opened
    await page
      .getByRole('main')
      .getByRole('link', { name: /^typo-.*-/ })
      .first()
      .click()
    const alert = page.getByRole('alert').filter({ hasText: TITLE })
    await alert.getByText(WHY).waitFor()
    await page.getByText(/Back-off pulling image .*: ErrImagePull: failed to pull and unpack/).waitFor()
    await alert.getByRole('button', { name: 'Show events' }).click()
    await page.getByText(/Failed to pull image .*not found/).waitFor()

    await opened.go('/')
    const need = page.getByRole('listitem').filter({ hasText: 'default/typo' })
    await need.getByText(TITLE).waitFor()
    await need.getByRole('button', { name: 'Change image…' }).waitFor()

    await opened.go('/list/deployments')
    await page.getByRole('row', { name: /typo/ }).getByText('ImagePullBackOff').waitFor()
  })

  it('can be imported from an archive instead', async () => {
    const { page } = opened
    await page.getByRole('button', { name: 'Import image…' }).click()
    await page.getByRole('dialog', { name: 'Import images' }).waitFor()
  })
})
