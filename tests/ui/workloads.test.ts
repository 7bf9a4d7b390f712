/** Deployments and their kin, and the pages of single objects. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CONFIG_MAP, DEPLOYMENT, POD } from './fake/cluster.ts'
import { closeBrowser, openApp, settled, type Opened } from './browser.ts'

let opened: Opened
beforeEach(async () => {
  opened = await openApp()
  await settled(opened)
})
afterEach(() => opened[Symbol.asyncDispose]())
afterAll(closeBrowser)

const web = () => opened.app.cluster.client.get(DEPLOYMENT, { name: 'web', namespace: 'shop' })
const WEB = '/object/apps/v1/deployments/shop/web'

describe('a deployment', () => {
  it('is scaled with the call shown on request, and put back by undo', async () => {
    const { page } = opened
    await opened.go(WEB)
    await page.getByRole('heading', { level: 1, name: 'web' }).waitFor()
    await page.getByRole('button', { name: 'Scale' }).click()
    const dialog = page.getByRole('dialog', { name: 'Scale shop/web' })
    await dialog.getByRole('spinbutton', { name: 'Copies' }).fill('5')
    await dialog.getByRole('spinbutton', { name: 'Copies' }).blur()
    await dialog.getByText('Show the API call').click()
    await dialog.getByText('kubectl scale deployments.apps/web -n shop --replicas=5').waitFor()
    await dialog.getByText('PATCH /apis/apps/v1/namespaces/shop/deployments/web/scale').waitFor()
    await dialog.getByRole('button', { name: 'Scale to 5' }).click()
    await page.getByText('5 of 5 ready').waitFor()
    await page.keyboard.press('Control+z')
    await page.getByText('3 of 3 ready').waitFor()
  })

  it('restarts, pauses and resumes', async () => {
    const { page } = opened
    await opened.go(WEB)
    await page.getByRole('heading', { level: 1, name: 'web' }).waitFor()
    await page.getByRole('button', { name: 'Restart' }).click()
    await expect.poll(async () => (await web()).spec.template.metadata.annotations?.['kubectl.kubernetes.io/restartedAt']).toBeTruthy()
    await page.getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name: 'Pause rollout' }).click()
    await expect.poll(async () => (await web()).spec.paused).toBe(true)
    await page.getByRole('button', { name: 'Resume rollout' }).click()
    await expect.poll(async () => (await web()).spec.paused ?? false).toBe(false)
  })

  it('rolls back to the revision that was chosen, after showing what differs', async () => {
    const { page, app } = opened
    const now = await web()
    const [container, ...rest] = now.spec.template.spec.containers
    if (!container) throw new Error('no container')
    await app.cluster.client.update(DEPLOYMENT, {
      ...now,
      spec: {
        ...now.spec,
        template: {
          ...now.spec.template,
          spec: { ...now.spec.template.spec, containers: [{ ...container, image: 'shop/web:2.0.0' }, ...rest] },
        },
      },
    })
    await opened.go(`${WEB}?tab=revisions`)
    await page.getByRole('radio', { name: /Revision 2/ }).waitFor({ state: 'attached' })
    await page.getByRole('radio', { name: /Revision 1/ }).check({ force: true })
    const diff = page.getByRole('group', { name: 'What rolling back would change' })
    await diff.getByText('2.0.0').waitFor()
    expect(await diff.locator('.del').allInnerTexts()).toHaveLength(1)
    expect((await diff.locator('.add').allInnerTexts()).join()).toContain('shop/web:1.4.0')
    await page.getByRole('button', { name: 'Roll back to 1' }).click()
    await expect.poll(async () => (await web()).spec.template.spec.containers[0]?.image).toBe('shop/web:1.4.0')
    await page.getByRole('radio', { name: /Revision 3/ }).waitFor({ state: 'attached' })
  })

  it('is deleted with what hangs on it, after a question that counts it', async () => {
    const { page, app } = opened
    await opened.go(WEB)
    await page.getByRole('heading', { level: 1, name: 'web' }).waitFor()
    await page.getByText('3 of 3 ready').waitFor()
    await page.keyboard.press('Delete')
    const dialog = page.getByRole('dialog', { name: 'Delete Deployment web?' })
    await dialog.getByText('3 pods go with it.').waitFor()
    await dialog.getByRole('button', { name: 'Delete web' }).click()
    await page.getByRole('heading', { level: 1, name: 'Deployments' }).waitFor()
    await expect
      .poll(async () => (await app.cluster.client.list(POD, { namespace: 'shop', labelSelector: 'app=web' })).items.length)
      .toBe(0)
  })

  it('says of a refusal what failed and why, until it is answered', async () => {
    const { page, app } = opened
    await opened.go('/list/deployments')
    await page.getByRole('button', { name: 'More actions for web' }).click()
    app.workers.frozen = true
    // It goes while the request is on its way: after it was gone the menu would be, too.
    app.options.delay = 1500
    await page.getByRole('menuitem', { name: 'Restart' }).click()
    await app.cluster.client.delete(DEPLOYMENT, { name: 'web', namespace: 'shop' }, { propagationPolicy: 'Background' })
    const problem = page.getByRole('alert').filter({ hasText: 'Could not restart shop/web.' })
    await problem.getByText('not found').waitFor()
    await problem.getByRole('button', { name: 'Dismiss' }).click()
    await expect.poll(() => problem.count()).toBe(0)
  })
})

describe('an object’s YAML', () => {
  const FLAGS = '/object/core/v1/configmaps/shop/flags?tab=yaml'
  const flags = () => opened.app.cluster.client.get(CONFIG_MAP, { name: 'flags', namespace: 'shop' })
  const type = async (from: string, to: string) => {
    const editor = opened.page.getByRole('textbox', { name: 'YAML of shop/flags' })
    const text = (await editor.innerText()).replaceAll('\u00a0', ' ')
    await editor.click()
    await opened.page.keyboard.press('Control+a')
    await opened.page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(text.replaceAll('\n\n', '\n').replace(from, to))})`)
    await opened.page.keyboard.press('Control+v')
  }

  it('is saved on top of what someone else wrote meanwhile', async () => {
    const { page, app } = opened
    await opened.go(FLAGS)
    await page.getByText('region: eu').waitFor()
    await type('region: eu', 'region: us')
    const now = await flags()
    await app.cluster.client.update(CONFIG_MAP, { ...now, data: { ...now.data, other: 'theirs' } })
    await page.getByText('It changed on the server since you began.').waitFor()
    await page.keyboard.press('Control+s')
    await page.getByText('Saved shop/flags').waitFor()
    expect((await flags()).data).toMatchObject({ region: 'us', other: 'theirs' })
  })

  it('asks where both changed the same field', async () => {
    const { page, app } = opened
    await opened.go(FLAGS)
    await page.getByText('region: eu').waitFor()
    await type('region: eu', 'region: us')
    const now = await flags()
    await app.cluster.client.update(CONFIG_MAP, { ...now, data: { ...now.data, region: 'asia' } })
    await page.getByText('It changed on the server since you began.').waitFor()
    await page.keyboard.press('Control+s')
    await page.getByText('data.region changed on the server as well.').waitFor()
    await page.getByRole('button', { name: 'Use mine' }).click()
    await expect.poll(async () => (await flags()).data?.['region']).toBe('us')
  })

  it('is not lost by leaving the page', async () => {
    const { page } = opened
    await opened.go(FLAGS)
    await page.getByText('region: eu').waitFor()
    await type('region: eu', 'region: us')
    await page.getByRole('link', { name: 'Pods' }).click()
    await page.getByText('Your edit is not saved.').waitFor()
    await page.getByRole('button', { name: 'Stay' }).click()
    await page.getByText('region: us').waitFor()
  })
})

describe('other kinds', () => {
  it('hide a Secret’s values until each is asked for', async () => {
    const { page } = opened
    await opened.go('/object/core/v1/secrets/shop/shop-db')
    await page.getByText('password').first().waitFor()
    expect(await page.getByText('hunter2').count()).toBe(0)
    await page.getByRole('region', { name: 'password' }).getByRole('button', { name: 'Show' }).click()
    expect(await page.getByText('hunter2').allInnerTexts()).toEqual(['hunter2'])
    await opened.go('/object/core/v1/secrets/shop/shop-db?tab=yaml')
    await page.getByText('They are hidden until you ask.').waitFor()
  })

  it('are all there, in the columns that the server prints', async () => {
    const { page } = opened
    await opened.go('/kinds')
    await page.getByRole('searchbox').fill('endpoints')
    await page.getByRole('link', { name: /^Endpoints/ }).click()
    await page.getByRole('columnheader', { name: 'Endpoints' }).waitFor()
    await page.getByRole('gridcell', { name: /^[\d.]+:\d+$/ }).waitFor()
  })
})
