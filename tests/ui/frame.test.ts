/** What is around every page: palette, keys, theme, connection, calls. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { closeBrowser, openApp, settled, type Opened } from './browser.ts'

let opened: Opened
beforeEach(async () => {
  opened = await openApp()
  await settled(opened)
})
afterEach(() => opened[Symbol.asyncDispose]())
afterAll(closeBrowser)

describe('the palette', () => {
  it('goes to objects, pages and kinds, and runs commands', async () => {
    const { page } = opened
    await page.keyboard.press('Control+k')
    await page.keyboard.type('checkout depl')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'checkout' }).waitFor()
    await page.keyboard.press(':')
    await page.keyboard.type('rolebindings')
    await page.getByRole('option', { name: /^rolebindings/ }).waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'RoleBinding' }).waitFor()
    await page.keyboard.press('Control+k')
    await page.keyboard.type('theme dark')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.evaluate('document.documentElement.dataset.theme')).toBe('dark')
  })
})

describe('the theme', () => {
  it('is remembered, and there before the first paint', async () => {
    const { page } = opened
    await page.getByRole('button', { name: 'Theme' }).click()
    await page.getByRole('menuitem', { name: 'Dark' }).click()
    await page.route('**/assets/*.js', (route) => route.abort())
    await page.reload()
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark')
  })
})

describe('what floats', () => {
  it('is opaque: a menu, a list of choices, a tooltip', async () => {
    const { page } = opened
    const opaque = (selector: string) =>
      page.evaluate<string>(`getComputedStyle(document.querySelector(${JSON.stringify(selector)})).backgroundColor`)
    await page.getByRole('button', { name: 'Theme' }).click()
    await page.getByRole('menuitem', { name: 'Dark' }).waitFor()
    expect(await opaque('[role=menu]')).not.toMatch(/transparent|rgba|\/ /)
    await page.keyboard.press('Escape')
    await page.getByRole('combobox', { name: 'Namespace' }).click()
    await page.getByRole('option', { name: 'kube-system' }).waitFor()
    expect(await opaque('[role=listbox]')).not.toMatch(/transparent|rgba|\/ /)
    await page.keyboard.press('Escape')
    await opened.go('/settings')
    await page.getByRole('button', { name: 'Copy', exact: true }).first().hover()
    await page.locator('.pop-tip').waitFor()
    expect(await opaque('.pop-tip')).not.toMatch(/transparent|rgba|\/ /)
  })
})

describe('keys', () => {
  it('go from page to page, and are all listed', async () => {
    const { page } = opened
    await page.keyboard.press('g')
    await page.keyboard.press('m')
    await page.getByRole('heading', { level: 1, name: 'Machines' }).waitFor()
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keys' }).getByText('Go to Pods').waitFor()
  })

  it('leave letters alone when they are switched off, and while one types', async () => {
    const { page } = opened
    await opened.go('/pods')
    await page.getByRole('searchbox').fill('g')
    await page.keyboard.type('m')
    expect(await page.getByRole('searchbox').inputValue()).toBe('gm')
    await opened.go('/settings')
    await page.getByRole('checkbox', { name: /Single letters are commands/ }).uncheck()
    await page.keyboard.press('g')
    await page.keyboard.press('m')
    expect(await page.evaluate('location.hash')).toBe('#/settings')
  })

  it('reach the content without passing the sidebar', async () => {
    const { page } = opened
    await page.reload()
    await page.getByText('Needs you').waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('main')
  })
})

describe('the connection', () => {
  it('is said to be lost, and made again by itself, with the lists true afterwards', async () => {
    const { page, app } = opened
    await opened.go('/pods')
    await page.getByText('31 of 31').waitFor()
    app.face.away = true
    app.face.drop()
    await page.getByText('Connection lost.', { exact: true }).waitFor()
    await page.getByText(/since \d\d:\d\d:\d\d/).waitFor()
    expect(await page.getByRole('grid', { name: 'Pods' }).getByRole('row').count()).toBeGreaterThan(5)
    app.face.away = false
    await page.getByRole('contentinfo').getByText('Live').waitFor()
    await expect.poll(() => page.getByText('Connection lost.', { exact: true }).count()).toBe(0)
    await page.getByText('31 of 31').waitFor()
  })
})

describe('API calls', () => {
  it('are listed on request, with the kubectl command that does the same', async () => {
    const { page } = opened
    await opened.go('/machines/skiff')
    await page.getByRole('button', { name: 'Cordon' }).click()
    await page.getByText('Cordoned skiff').waitFor()
    await page.keyboard.press('Control+k')
    await page.keyboard.type('api calls')
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog', { name: 'API calls' })
    await dialog.getByText('kubectl cordon skiff').waitFor()
    await dialog.getByText('PATCH /api/v1/nodes/skiff').waitFor()
  })
})

describe('images', () => {
  it('are imported from an archive, with what each machine says', async () => {
    const { page } = opened
    await page.keyboard.press('Control+k')
    await page.keyboard.type('import images')
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog', { name: 'Import images' })
    await dialog
      .locator('input[type=file]')
      .setInputFiles({ name: 'web.tar', mimeType: 'application/x-tar', buffer: Buffer.alloc(600_000, 1) })
    await dialog.getByRole('button', { name: 'Import to 4 machines' }).click()
    await dialog.getByText('localhost/demo/web:2').waitFor()
    await dialog.locator('input[type=file]').setInputFiles({ name: 'bad.tar', mimeType: 'application/x-tar', buffer: Buffer.alloc(10, 1) })
  })
})
