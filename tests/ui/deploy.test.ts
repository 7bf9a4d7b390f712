/** Deploying by form and by YAML, which are two views of one manifest. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CONFIG_MAP, DAEMON_SET, DEPLOYMENT, NAMESPACE, SERVICE } from './fake/cluster.ts'
import { closeBrowser, openApp, settled, type Opened } from './browser.ts'

let opened: Opened
beforeEach(async () => {
  opened = await openApp()
  await settled(opened)
  await opened.go('/deploy')
  await opened.page.getByText('There is room:').waitFor()
})
afterEach(() => opened[Symbol.asyncDispose]())
afterAll(closeBrowser)

const editor = () => opened.page.getByRole('textbox', { name: 'YAML' })
const yaml = async () => (await editor().innerText()).replaceAll('\u00a0', ' ')
async function write(text: string): Promise<void> {
  await editor().click()
  await opened.page.keyboard.press('Control+a')
  await opened.page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(text)})`)
  await opened.page.keyboard.press('Control+v')
}

describe('the form', () => {
  it('is followed by the YAML, and follows it', async () => {
    const { page } = opened
    await page.getByRole('combobox', { name: 'Image' }).fill('shop/reviews:1.4.0')
    await expect.poll(yaml).toContain('image: shop/reviews:1.4.0')
    await expect.poll(yaml).toContain('app: reviews')
    await page.getByRole('button', { name: 'One more' }).click()
    await expect.poll(yaml).toContain('replicas: 4')
    await page.getByRole('button', { name: 'Variable' }).click()
    await page.getByRole('textbox', { name: 'Name of variable 1' }).fill('COLOR')
    await page.getByRole('textbox', { name: 'Value of' }).fill('black')
    await page.getByRole('textbox', { name: 'Value of' }).blur()
    await expect.poll(yaml).toContain('value: black')

    await write((await yaml()).replace('replicas: 4', 'replicas: 7'))
    await expect.poll(() => page.getByRole('spinbutton', { name: 'Copies' }).inputValue()).toBe('7')
  })

  it('says what will happen before it does, and then does it', async () => {
    const { page, app } = opened
    await page.getByRole('textbox', { name: 'Name' }).fill('reviews')
    await page.getByText('Deployment reviews, Service reviews').waitFor()
    await page.getByText('3 pods.').waitFor()
    await page.keyboard.press('Control+Enter')
    await page.getByText('3 of 3 ready').waitFor()
    expect((await app.cluster.client.get(SERVICE, { name: 'reviews', namespace: 'default' })).spec.type).toBe('NodePort')

    await opened.go('/deploy')
    await page.getByRole('textbox', { name: 'Name' }).fill('reviews')
    await page.getByText('2 objects stay as they are:').waitFor()
    await page.getByRole('button', { name: 'One more' }).click()
    await page.getByText('copies 3 → 4').waitFor()
    await page.getByText('1 pod more.').waitFor()
  })

  it('makes one on each machine', async () => {
    const { page, app } = opened
    await page.getByRole('textbox', { name: 'Name' }).fill('probe')
    await page.getByText('One on each machine', { exact: true }).click()
    await page.getByText('one on each machine that takes pods').waitFor()
    await page.getByRole('button', { name: 'Deploy to default' }).click()
    await page.getByText('4 of 4 ready').waitFor()
    expect((await app.cluster.client.get(DAEMON_SET, { name: 'probe', namespace: 'default' })).kind).toBe('DaemonSet')
  })

  it('shows what the API server refuses at the field and at the line', async () => {
    const { page } = opened
    await page.getByRole('textbox', { name: 'Name' }).fill('Not A Name')
    await page.getByText('would be refused').first().waitFor()
    expect(await page.getByRole('textbox', { name: 'Name' }).getAttribute('aria-invalid')).toBe('true')
    await page.locator('.cm-line-bad').first().waitFor()
  })

  it('warns that no machine has room', async () => {
    const { page } = opened
    await page.getByRole('textbox', { name: 'max' }).last().fill('500Gi')
    await page.getByRole('textbox', { name: 'needs' }).last().fill('500Gi')
    await page.getByText('No machine has 500 Gi free:').waitFor()
  })

  it('keeps the draft while one looks elsewhere', async () => {
    const { page } = opened
    await page.getByRole('textbox', { name: 'Name' }).fill('kept')
    await opened.go('/pods')
    await opened.go('/deploy')
    await expect.poll(() => page.getByRole('textbox', { name: 'Name' }).inputValue()).toBe('kept')
  })
})

describe('YAML', () => {
  it('applies several documents in their order', async () => {
    const { page, app } = opened
    await page.keyboard.press('Alt+y')
    await write(
      'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: lab\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n  namespace: shop\ndata:\n  a: "1"\n',
    )
    await page.getByText('2 objects made:').waitFor()
    await page
      .getByRole('button', { name: /^Deploy/ })
      .last()
      .click()
    await page.getByText('Deployed Namespace lab, ConfigMap one').waitFor()
    expect((await app.cluster.client.get(CONFIG_MAP, { name: 'one', namespace: 'shop' })).data).toEqual({ a: '1' })
  })

  it.each([
    ['what cannot be read', 'kind: [b\n', /Line \d+:/],
    ['an unknown kind', 'apiVersion: v1\nkind: Nonsense\nmetadata:\n  name: x\n', /Line 2: the API server serves no Nonsense of v1/],
    ['an unknown field', 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  namespace: shop\ndota:\n  a: b\n', /Line 6: .*dota/],
  ])('names the line of %s', async (_what, text, expected) => {
    await opened.page.keyboard.press('Alt+y')
    await write(text)
    await opened.page.getByRole('button', { name: expected }).waitFor()
  })

  it('offers to make a namespace that is not there', async () => {
    const { page, app } = opened
    await page.keyboard.press('Alt+y')
    await write('apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n  namespace: brand-new\n')
    await page.getByRole('button', { name: 'Make namespace brand-new' }).click()
    await page.getByText('1 object made:').waitFor()
    expect((await app.cluster.client.get(NAMESPACE, { name: 'brand-new' })).metadata.name).toBe('brand-new')
  })

  it('takes a file that is dropped anywhere', async () => {
    const { page, app } = opened
    await opened.go('/pods')
    await page.evaluate(`(() => {
      const data = new DataTransfer()
      data.items.add(new File(['apiVersion: v1\\nkind: ConfigMap\\nmetadata:\\n  name: dropped\\n  namespace: shop\\n'], 'cm.yaml'))
      for (const type of ['dragenter', 'dragover', 'drop']) document.body.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }))
    })()`)
    await page.getByText('cm.yaml').waitFor()
    await page.getByText('1 object made:').waitFor()
    await page.getByRole('button', { name: 'Deploy to shop' }).click()
    await expect
      .poll(async () =>
        (await app.cluster.client.list(CONFIG_MAP, { namespace: 'shop' })).items.some((object) => object.metadata.name === 'dropped'),
      )
      .toBe(true)
  })

  it('asks before it takes fields that someone else keeps', async () => {
    const { page, app } = opened
    await page.keyboard.press('Alt+y')
    await write(
      'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  replicas: 9\n  selector:\n    matchLabels:\n      app: web\n  template:\n    metadata:\n      labels:\n        app: web\n    spec:\n      containers:\n        - name: app\n          image: shop/web:1.4.0\n',
    )
    await page
      .getByText(/conflict/i)
      .first()
      .waitFor()
    expect((await app.cluster.client.get(DEPLOYMENT, { name: 'web', namespace: 'shop' })).spec.replicas).toBe(3)
    await page.getByRole('button', { name: 'Take these fields over' }).click()
    await expect.poll(async () => (await app.cluster.client.get(DEPLOYMENT, { name: 'web', namespace: 'shop' })).spec.replicas).toBe(9)
  })
})
