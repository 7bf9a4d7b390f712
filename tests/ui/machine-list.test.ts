/** Many machines from a pasted list, and what a machine has written down, in both themes. */
import axe from 'axe-core'
import { afterAll, describe, expect, it } from 'vitest'
import { HOSTS, KEY } from './fake/machines.ts'
import { closeBrowser, openApp, settled, type Opened } from './browser.ts'

afterAll(closeBrowser)

async function faults({ page, errors }: Opened): Promise<string[]> {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate<{ violations: { id: string }[] }>('axe.run()')
  return [...violations.map(({ id }) => id), ...errors]
}

describe.each(['light', 'dark'] as const)('in a %s window', (theme) => {
  it('a list is read line by line, keys are shown and confirmed, and each host goes its own way', async () => {
    await using opened = await openApp({ theme, stepMs: 60 })
    const { page } = opened
    await settled(opened)
    await opened.go('/machines')
    await page.getByRole('button', { name: 'Add from list…' }).click()
    const dialog = page.getByRole('dialog')
    const hosts = dialog.getByRole('textbox', { name: 'Hosts' })
    await hosts.fill('mira@192.168.1.70 name=tender pool=gpu\nwasp:99999')
    await dialog.getByText('Line 2: “99999” is no port.').waitFor()
    expect(await dialog.getByRole('button', { name: 'Look at the hosts' }).isDisabled()).toBe(true)
    expect(await faults(opened)).toEqual([])
    await hosts.fill(`mira@192.168.1.70 name=tender pool=gpu\n${HOSTS.unknownName}\n${HOSTS.changedKey} wasp\nskiff`)
    await dialog.getByRole('button', { name: 'Look at the hosts' }).click()
    await dialog.getByText('1 host was never seen before').waitFor()
    const row = (name: string) => dialog.getByRole('row').filter({ hasText: name })
    await row('tender').getByText(KEY.fingerprint).waitFor()
    await row('nowhere').getByText('Its name does not resolve to an address.').waitFor()
    await row('wasp').getByText('Key has changed').waitFor()
    await row('skiff').getByText('Is a machine already').waitFor()
    expect(await dialog.getByRole('checkbox').count()).toBe(1)
    expect(await faults(opened)).toEqual([])
    await dialog.getByRole('button', { name: 'Trust the key and add 1 host' }).click()
    await row('tender').getByText('Ready').waitFor()
    await dialog.getByRole('button', { name: 'Hide' }).last().click()
    await page.getByRole('main').getByRole('row').filter({ hasText: 'tender' }).waitFor()
  })

  it('a machine shows what its agent and its kernel have written down', async () => {
    await using opened = await openApp({ theme, stepMs: 60 })
    const { page } = opened
    await settled(opened)
    await opened.go('/machines/skiff?tab=log')
    await page.getByText('skiff agent: line 39').waitFor()
    await page.getByText('Kernel', { exact: true }).click()
    await page.getByText('skiff kernel: line 39').waitFor()
    expect(await faults(opened)).toEqual([])
  })
})
