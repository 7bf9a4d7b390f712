/** Making objects by form: fields and YAML are one, and the API server is asked before. */
import axe from 'axe-core'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SECRET } from './fake/cluster.ts'
import { closeBrowser, openApp, settled, type Opened } from './browser.ts'

let opened: Opened
beforeEach(async () => {
  opened = await openApp()
  await settled(opened)
})
afterEach(() => opened[Symbol.asyncDispose]())
afterAll(closeBrowser)

describe('a form', () => {
  it('is reached from the list and the palette, and makes a Secret for a registry', async () => {
    const { page, app } = opened
    await opened.go('/list/secrets')
    await page.getByRole('link', { name: 'Create' }).click()
    await page.getByRole('heading', { level: 1, name: 'Create Secret' }).waitFor()
    await page.getByRole('textbox', { name: /^Name/ }).fill('pull')
    await page.getByRole('combobox', { name: /^Type/ }).click()
    await page.getByRole('option', { name: 'kubernetes.io/dockerconfigjson' }).click()
    await page.getByRole('textbox', { name: 'Registry' }).fill('registry.example')
    await page.getByRole('textbox', { name: 'User' }).fill('mira')
    await page.getByLabel('Password', { exact: true }).fill('anchor')
    await page.getByText('The API server accepts it').waitFor()
    await page.getByRole('button', { name: 'Create', exact: false }).last().click()
    await page.getByText('Secret pull was created.').waitFor()
    const { data } = await app.cluster.client.get(SECRET, { name: 'pull', namespace: 'default' })
    const config = JSON.parse(Buffer.from(data?.['.dockerconfigjson'] ?? '', 'base64').toString('utf8')) as { auths: object }
    expect(Object.keys(config.auths)).toEqual(['registry.example'])
    await page.keyboard.press('Control+k')
    await page.keyboard.type('create networkpolicy')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Create NetworkPolicy' }).waitFor()
    expect(opened.errors).toEqual([])
  })

  it('says at the field what the API server refuses', async () => {
    const { page } = opened
    await opened.go('/create/scheduling.k8s.io/priorityclasses')
    await page.getByRole('textbox', { name: /^Name/ }).fill('system-mine')
    await page.getByText('The API server would refuse it.').waitFor()
    await page.getByRole('textbox', { name: /^Name/ }).fill('Mine')
    await page.getByText('Small letters, digits and dashes').waitFor()
  })

  it('stands in both themes without a fault of accessibility', async () => {
    const { page } = opened
    await opened.go('/create/apps/deployments')
    await page.getByRole('heading', { level: 1, name: 'Create Deployment' }).waitFor()
    for (const theme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: theme })
      await page.evaluate(axe.source)
      const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>('axe.run()')
      expect(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])).toEqual([])
    }
  })
})

describe('an object of a kind without a page of its own', () => {
  it('shows in tables what matters', async () => {
    const { page } = opened
    await opened.go('/object/networking.k8s.io/v1/networkpolicies/shop/only-web-to-api')
    await page.getByRole('table').getByText('app=api').waitFor()
    await page.getByRole('columnheader', { name: 'From' }).waitFor()
  })
})
