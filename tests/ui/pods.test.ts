/** The list of pods: finding trouble, and doing something about it. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DEPLOYMENT, POD } from './fake/cluster.ts'
import { closeBrowser, openApp, settled, type Opened } from './browser.ts'

let opened: Opened
beforeEach(async () => {
  opened = await openApp()
  await settled(opened)
  await opened.go('/pods')
  await opened.page.getByText('31 of 31').waitFor()
})
afterEach(() => opened[Symbol.asyncDispose]())
afterAll(closeBrowser)

const rows = () => opened.page.getByRole('grid', { name: 'Pods' }).getByRole('row')
const firstNames = async (n: number) => (await rows().allTextContents()).slice(1, n + 1)

describe('the pods', () => {
  it('come with trouble first, until that is switched off', async () => {
    const [first, second] = await firstNames(2)
    expect(first).toContain('OOMKilled')
    expect(second).toContain('Pending')
    await opened.page.getByRole('button', { name: 'Trouble first' }).click()
    await expect.poll(async () => (await firstNames(1))[0]).toContain('api-')
  })

  it('are narrowed by words, labels and chips, which say how many are hidden', async () => {
    const { page } = opened
    await page.keyboard.press('/')
    await page.keyboard.type('app=web')
    await page.getByText('3 of 31').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Failing 1' }).click()
    await page.getByText('1 of 31').waitFor()
    await page.getByRole('searchbox').fill('nothing like this')
    await page.getByText('31 are hidden by the filters.').waitFor()
    await page.getByRole('grid').getByRole('button', { name: 'Clear filters' }).click()
    await page.getByText('31 of 31').waitFor()
  })

  it('follow the namespace that is picked, on every page', async () => {
    const { page } = opened
    await page.getByRole('combobox', { name: 'Namespace to show' }).click()
    await page.getByRole('option', { name: 'ml', exact: true }).click()
    await page.getByText('3 of 3', { exact: true }).waitFor()
    await opened.go('/list/deployments')
    await page.getByText('2 of 2', { exact: true }).waitFor()
  })

  it('tell the cause beside the list, with a way out that can be undone', async () => {
    const { page, app } = opened
    await page.keyboard.press('j')
    await page.keyboard.press(' ')
    const panel = page.getByRole('complementary', { name: 'Selected pod' })
    await panel.getByText('Container app hit its memory limit.').waitFor()
    await panel.getByText('killed at 256 Mi, 3 times').waitFor()
    await panel.getByRole('button', { name: 'Raise limit to 384 Mi' }).click()
    const limit = async () =>
      (await app.cluster.client.get(DEPLOYMENT, { name: 'checkout', namespace: 'shop' })).spec.template.spec.containers[0]?.resources
        .limits?.['memory']
    await expect.poll(limit).toBe('384Mi')
    await page.getByRole('status').getByRole('button', { name: 'Undo' }).click()
    await expect.poll(limit).toBe('256Mi')
  })

  it('are steered by keys alone', async () => {
    const { page } = opened
    await page.keyboard.press('j')
    await page.keyboard.press('x')
    await page.keyboard.press('j')
    await page.keyboard.press('x')
    await page.getByRole('toolbar', { name: '2 selected' }).waitFor()
    await page.keyboard.press('Escape')
    await expect.poll(() => page.getByRole('toolbar').count()).toBe(0)
    await page.keyboard.press('l')
    await page.waitForURL((url) => url.hash.includes('tab=logs'))
    await page.goBack()
    await page.getByText('31 of 31').waitFor()
    await page.getByRole('grid', { name: 'Pods' }).focus()
    await page.keyboard.press('End')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: /^worker-/ }).waitFor()
  })

  it('are deleted together, once the question has said what comes back', async () => {
    const { page, app } = opened
    await page.getByRole('searchbox').fill('worker-')
    await page.getByText('2 of 31').waitFor()
    await page.getByRole('checkbox', { name: 'Select all' }).check()
    await page.getByRole('toolbar').getByRole('button', { name: 'Delete 2…' }).click()
    const dialog = page.getByRole('dialog', { name: 'Delete 2 pods?' })
    await dialog.getByText('Deployment worker makes 2 new ones at once.').waitFor()
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('Cancel')
    const before = (await app.cluster.client.list(POD, { namespace: 'shop', labelSelector: 'app=worker' })).items.map(
      (pod) => pod.metadata.uid,
    )
    await dialog.getByRole('button', { name: 'Delete 2 objects' }).click()
    await page.getByText('Deleted 2 objects').waitFor()
    const after = async () =>
      (await app.cluster.client.list(POD, { namespace: 'shop', labelSelector: 'app=worker' })).items
        .map((pod) => pod.metadata.uid)
        .filter((uid) => before.includes(uid))
    await expect.poll(after).toEqual([])
  })

  it('restart through what made them', async () => {
    const { page, app } = opened
    await page.getByRole('searchbox').fill('api-')
    await page.getByText('4 of 31').waitFor()
    await page.getByRole('checkbox', { name: 'Select all' }).check()
    await page.getByRole('toolbar').getByRole('button', { name: 'Restart' }).click()
    const dialog = page.getByRole('dialog', { name: 'Restart the workload?' })
    await dialog.getByText('Deployment shop/api').waitFor()
    await dialog.getByRole('button', { name: 'Restart it' }).click()
    const stamp = async () =>
      (await app.cluster.client.get(DEPLOYMENT, { name: 'api', namespace: 'shop' })).spec.template.metadata.annotations?.[
        'kubectl.kubernetes.io/restartedAt'
      ]
    await expect.poll(stamp).toBeTruthy()
  })

  it('do not jump under the pointer: while the list is hovered, new ones wait at its end', async () => {
    const { page, app } = opened
    const grid = page.getByRole('grid', { name: 'Pods' })
    await grid.hover({ position: { x: 400, y: 200 } })
    const before = await firstNames(3)
    await app.cluster.client.create(POD, {
      metadata: { name: 'aaa', namespace: 'default' },
      spec: { containers: [{ name: 'c', image: 'x' }] },
    })
    await page.getByText('32 of 32').waitFor()
    expect((await firstNames(3)).map((text) => text.slice(0, 20))).toEqual(before.map((text) => text.slice(0, 20)))
    await page.getByRole('heading', { level: 1 }).hover()
    await page.getByRole('button', { name: 'Trouble first' }).click()
    await expect.poll(async () => (await firstNames(1))[0]).toContain('aaa')
  })

  it('stand in groups that fold, and the choice of the group is kept', async () => {
    const { page } = opened
    await page.getByRole('combobox', { name: 'Group by' }).click()
    await page.getByRole('option', { name: 'By Node' }).click()
    const group = page.getByRole('grid', { name: 'Pods' }).getByRole('button', { name: /^ketch/ })
    await group.click()
    await expect.poll(() => group.getAttribute('aria-expanded')).toBe('false')
    await expect.poll(() => page.getByRole('grid', { name: 'Pods' }).getByText('OOMKilled').count()).toBe(0)
    await opened.go('/')
    await opened.go('/pods')
    await group.waitFor()
  })

  it('are copied as CSV, as they are filtered', async () => {
    const { page } = opened
    await page.getByRole('searchbox').fill('worker-')
    await page.getByText('2 of 31').waitFor()
    await page.getByRole('button', { name: 'Copy as CSV' }).click()
    const copied = async () =>
      String(await page.evaluate('navigator.clipboard.readText()'))
        .trim()
        .split(/\r?\n/)
    await expect.poll(async () => (await copied()).length).toBe(3)
    expect((await copied())[0]).toBe('Name,Namespace,Ready,Status,Restarts,Node,IP,Age')
  })
})
