/** The map: what hangs together, by mouse, by keyboard, and as a list. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { closeBrowser, openApp, settled, type Opened } from './browser.ts'
import { DEPLOYMENT } from './fake/cluster.ts'

let opened: Opened
beforeAll(async () => {
  // So that nothing has to be moved into view first.
  opened = await openApp({ height: 1700 })
  await settled(opened)
})
beforeEach(async () => {
  await opened.go('/settings')
  await opened.go('/map')
  await tile('Deployment web').waitFor()
})
afterEach(() => expect(opened.errors).toEqual([]))
afterAll(async () => {
  await opened[Symbol.asyncDispose]()
  await closeBrowser()
})

/** Of an object by its kind and name, which may be a pattern. */
const tile = (object: string) => {
  const [kind = '', name = ''] = object.split(' ')
  return opened.page.getByRole('button', { name: new RegExp(`^${name}\\s?, ${kind}\\s?,`) })
}
const panel = () => opened.page.getByRole('complementary', { name: 'The object that is chosen' })
const place = async (name: string) => {
  const box = await tile(name).boundingBox()
  return box && { x: Math.round(box.x), y: Math.round(box.y) }
}

describe('the map', () => {
  it('leads from the Ingress to Service, Deployment, pods and machine, and from one to the other in the panel', async () => {
    await tile('Ingress shop').click()
    await panel()
      .getByRole('button', { name: /leads to web/ })
      .click()
    await panel()
      .getByRole('button', { name: /chooses web/ })
      .click()
    await panel()
      .getByRole('button', { name: /makes 3 pods/ })
      .click()
    await panel()
      .getByRole('button', { name: /runs on/ })
      .first()
      .waitFor()
    expect(await panel().getByRole('link', { name: /^web-/ }).count()).toBe(3)
    await panel().getByRole('button', { name: 'Show each pod' }).click()
    await tile('Pod web-.*').first().waitFor()
    expect(await tile('Pod web-.*').count()).toBe(3)
  })

  it('says how each does in words, trouble first among the pods of a tile', async () => {
    await opened.page.getByRole('button', { name: /^4 pods\s?, 3 ready\s?,.*, Pod checkout\s?, (OOMKilled|CrashLoopBackOff)/ }).waitFor()
    await opened.page.getByRole('button', { name: /^checkout\s?, Deployment\s?, 3\/4/ }).waitFor()
  })

  it('is walked by arrow keys along its lines, opened by Enter, and left by Escape', async () => {
    const { page } = opened
    await tile('Ingress shop').focus()
    await page.keyboard.press('ArrowRight')
    const focused = () => page.evaluate<string>('document.activeElement.getAttribute("title")')
    await expect.poll(focused).toMatch(/^Service .*web/)
    await page.keyboard.press('ArrowRight')
    await expect.poll(focused).toMatch(/^Deployment .*web/)
    await page.keyboard.press('Enter')
    await panel().getByText('web').first().waitFor()
    await page.keyboard.press('Escape')
    await panel().waitFor({ state: 'detached' })
  })

  it('narrows to what one thing is connected with', async () => {
    await tile('Deployment web').click()
    await panel().getByRole('button', { name: 'Only what it is connected with' }).click()
    await opened.page.getByText('5 shown').waitFor()
    await tile('Deployment api').waitFor({ state: 'detached' })
    await opened.page.getByRole('button', { name: 'Connected with web' }).click()
    await tile('Deployment api').waitFor()
  })

  it('finds by name, kind and label, and shows ConfigMaps and Secrets on demand', async () => {
    const { page } = opened
    await page.getByRole('searchbox').fill('service post')
    await page.getByText('1 found').waitFor()
    await page.getByRole('searchbox').fill('app=postgres')
    await page.getByText(/^[1-9]\d* found/).waitFor()
    await page.getByText('ConfigMaps, Secrets and claims').click()
    await tile('Secret shop-db').waitFor()
  })

  it('is a list, too, for who does not look at drawings', async () => {
    const { page } = opened
    await page.getByText('List', { exact: true }).click()
    const row = page.getByRole('row', { name: /^Service web/ })
    await row.getByText(/Ingress shop/).waitFor()
    await row.click()
    await panel().getByText('NodePort').waitFor()
  })

  it('shows owners link by link', async () => {
    await opened.page.getByText('Owners', { exact: true }).click()
    await tile('ReplicaSet web-.*').waitFor()
    await tile('CronJob nightly-report').waitFor()
    expect(await tile('Service web').count()).toBe(0)
  })

  it('keeps everything in its place while the cluster changes', async () => {
    const before = await Promise.all(['Deployment web', 'Service postgres', 'Deployment worker'].map(place))
    const { client } = opened.app.cluster
    await client.patch(DEPLOYMENT, { namespace: 'shop', name: 'web' }, { type: 'merge', body: { spec: { replicas: 6 } } })
    await opened.page.getByRole('button', { name: /^web\s?, Deployment\s?, 6\/6/ }).waitFor()
    const labels = { app: 'late' }
    await client.create(DEPLOYMENT, {
      metadata: { name: 'aardvark', namespace: 'ci' },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'a', image: 'a:1' }] } },
      },
    })
    await opened.page.getByText('41 shown').waitFor()
    expect(await Promise.all(['Deployment web', 'Service postgres', 'Deployment worker'].map(place))).toEqual(before)
  })
})
