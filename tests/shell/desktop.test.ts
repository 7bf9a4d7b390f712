import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { node as nodeKind } from '../../electron/api/core/v1/node.ts'
import { pod as podKind } from '../../electron/api/core/v1/pod.ts'
import { systemClock } from '../../electron/base/clock.ts'
import { readKubeconfig } from '../../electron/client/kubeconfig.ts'
import { createRemoteClient } from '../../electron/client/remote-client.ts'
import { builtApp, temporaryDir, type BuiltApp } from './built-app.ts'
import type * as Electron from './stand-in/electron.ts'
import { launch, type RunningApp } from './stand-in/harness.ts'

const CONNECTED = 'document.body?.innerText.includes("no machines, no pods")'
const MANIFEST =
  'apiVersion: v1\nkind: Pod\nmetadata:\n  name: from-a-file\nspec:\n  containers:\n    - name: main\n      image: example.org/x:1\n'

let built: BuiltApp
let dir: Awaited<ReturnType<typeof temporaryDir>>
let app: RunningApp

const start = (...args: string[]): Promise<RunningApp> =>
  launch({ app: built.dir, userData: dir.path, args: [`--state=${dir.path}/state`, ...args] })

async function connect() {
  const { server, ca = '', identity } = await readKubeconfig(`${dir.path}/state/kubeconfig`)
  return createRemoteClient({ server, ca, identity: () => identity, clock: systemClock })
}

async function openedAgain(...args: string[]): Promise<void> {
  await using second = await start(...args)
  expect(await second.exited).toEqual({ code: 0, signal: null })
}

beforeAll(async () => {
  built = await builtApp()
  dir = await temporaryDir()
  app = await start()
  await app.untilPage(CONNECTED)
})
afterAll(async () => {
  await app[Symbol.asyncDispose]()
  await dir[Symbol.asyncDispose]()
  await built[Symbol.asyncDispose]()
})
beforeEach(() => app.evaluate(({ standIn }) => void (standIn.desk.calls.length = 0)))

describe('what comes from outside', () => {
  it('shows the page that a link is of', async () => {
    await openedAgain('flotilla://pods')
    await app.untilPage('location.hash.startsWith("#/pods")')
    await openedAgain('flotilla://object/-/v1/configmaps/kube-system/kube-root-ca.crt')
    await app.untilPage('location.hash === "#/object/-/v1/configmaps/kube-system/kube-root-ca.crt"')
  })

  it('does nothing for a link that is not exactly one', async () => {
    const before = await app.page('location.href')
    await openedAgain('flotilla://pods/../../settings?x', 'flotilla://user@pods')
    await app.until((electron) => electron.BrowserWindow.getAllWindows()[0]?.isFocused())
    expect(await app.page('location.href')).toBe(before)
  })

  it('shows a manifest’s file to be looked at, and applies nothing of it', async () => {
    const file = join(dir.path, 'web.yaml')
    await writeFile(file, MANIFEST)
    await openedAgain(file)
    await app.untilPage('location.hash.startsWith("#/deploy")')
    await app.untilPage(
      'document.body.innerText.includes("from-a-file") || [...document.querySelectorAll("input")].some((i) => i.value === "from-a-file")',
    )
    await using client = await connect()
    expect((await client.list(podKind, { namespace: 'default' })).items).toEqual([])
  })

  it('says why a file is not opened', async () => {
    await openedAgain(join(dir.path, 'none.yml'))
    const options = await app.until(({ standIn }) => standIn.desk.dialogs[0]?.options)
    expect(options).toMatchObject({ detail: 'none.yml cannot be read.' })
    await app.evaluate(({ standIn }) => standIn.desk.dialogs[0]?.answer({ response: 0 }))
  })
})

describe('a window', () => {
  it('that dies is shown again with a notice, and the control plane goes on', async () => {
    const started = await app.page('performance.timeOrigin')
    await using client = await connect()
    const { metadata } = await client.list(nodeKind)
    await app.evaluate((electron) => electron.BrowserWindow.getAllWindows()[0]?.webContents.forcefullyCrashRenderer())
    // Until it is there again the page answers nothing.
    const again = `performance.timeOrigin > ${String(started)} && document.body.innerText.includes("closed by a fault")`
    const look = (electron: typeof Electron, code: string) =>
      electron.BrowserWindow.getAllWindows()[0]
        ?.webContents.executeJavaScript(code)
        .catch(() => false)
    await app.until(look, again)
    expect(Number((await client.list(nodeKind)).metadata.resourceVersion)).toBeGreaterThanOrEqual(Number(metadata.resourceVersion))
    await app.evaluate(({ standIn }) => standIn.clickMenu('View/Overview'))
    await app.untilPage(CONNECTED)
  })

  it('gets no permission that was not thought of', async () => {
    const asked = 'navigator.mediaDevices.getUserMedia({ audio: true }).then(() => "granted", (error) => error.name)'
    expect(await app.page(asked)).toBe('NotAllowedError')
    const checks = await app.evaluate((electron) => {
      const contents = electron.BrowserWindow.getAllWindows()[0]?.webContents
      const { defaultSession } = electron.session
      return contents
        ? ['geolocation', 'media', 'clipboard-read'].map((name) => defaultSession.check(contents, name, 'app://flotilla'))
        : []
    })
    expect(checks).toEqual([false, false, true])
  })

  it('opens nothing outside but https, and http of this computer', async () => {
    for (const url of ['http://example.org/', 'file:///etc/passwd', 'ssh://host', 'https://ada@example.org/'])
      expect(await app.page(`window.flotilla.openExternal(${JSON.stringify(url)}).then(() => "opened", () => "refused")`)).toBe('refused')
    await app.page('window.open("http://example.org/")')
    await app.page('window.flotilla.openExternal("http://127.0.0.1:30080/")')
    expect(await app.evaluate(({ standIn }) => standIn.desk.calls.map(({ args }) => args[0]))).toEqual(['http://127.0.0.1:30080/'])
  })

  it('shows every section under its policy, with nothing of Node in the page', async () => {
    await app.page(
      `void addEventListener('securitypolicyviolation', (event) => (window.broken ??= []).push(event.effectiveDirective + ' ' + event.blockedURI))`,
    )
    for (const route of [
      '/',
      '/machines',
      '/pods',
      '/list/deployments.apps',
      '/list/services',
      '/kinds',
      '/deploy',
      '/logs',
      '/settings',
    ]) {
      await app.page(`void (location.hash = '#${route}')`)
      await app.untilPage(`location.hash.startsWith('#${route}') && document.querySelector('main h1')`)
      expect(await app.page('[typeof require, typeof process, typeof module, typeof Buffer]'), route).toEqual(Array(4).fill('undefined'))
    }
    expect(await app.page('window.broken')).toBeUndefined()
  })
})

describe('the desktop', () => {
  it('shows the cluster in its tray and badge', async () => {
    const tip = () => app.evaluate(({ standIn }) => standIn.trays[0]?.toolTip)
    expect(await app.until(({ standIn }) => standIn.trays[0]?.toolTip.includes('0 of 0 nodes ready'))).toBe(true)
    await using client = await connect()
    await client.create(nodeKind, { metadata: { name: 'lost' } })
    await app.until((electron) => electron.app.badgeCount === 1)
    expect(await tip()).toBe('Flotilla\n0 of 1 nodes ready, 0 of 0 pods running\n1 in trouble')
    expect(await app.evaluate(({ standIn }) => standIn.trays[0]?.image.path)).toMatch(/tray-alert\.png$/)
    await client.delete(nodeKind, { name: 'lost' })
    await app.until((electron) => electron.app.badgeCount === 0)
  })

  it('speaks the language of its windows', async () => {
    await app.page('window.flotilla.setLanguage("de")')
    await app.until(({ standIn }) => standIn.trays[0]?.toolTip.includes('0 von 0 Nodes bereit'))
    await app.evaluate(({ standIn }) => standIn.clickMenu('Ansicht/Pods'))
    await app.untilPage('location.hash.startsWith("#/pods")')
    expect(JSON.parse(await readFile(join(dir.path, 'state/desktop/desktop.json'), 'utf8'))).toMatchObject({ language: 'de' })
    await app.page('window.flotilla.setLanguage("en")')
  })

  it('has its choices in the settings, and says why it looks for no updates', async () => {
    await app.evaluate(({ standIn }) => standIn.clickMenu('File/Settings…'))
    await app.untilPage('document.body.innerText.includes("Off: this is not an installed app.")')
    await app.page('[...document.querySelectorAll("label")].find((label) => label.innerText.includes("Notify me")).click()')
    expect(await app.untilPage('window.flotilla.desktop().then((state) => !state.notifications)')).toBe(true)
    expect(await app.page('window.flotilla.changeDesktop({ notifications: "no" }).then(() => "taken", () => "refused")')).toBe('refused')
  })

  it('opens the windows of last time again, each where and what it was', async () => {
    await app.evaluate(({ standIn }) => standIn.clickMenu('File/New Window'))
    await app.until((electron) => electron.BrowserWindow.getAllWindows().length === 2)
    await app.until((electron) => electron.BrowserWindow.getAllWindows()[1]?.isVisible())
    await app.page('void (location.hash = "#/machines")')
    await app.until((electron) => electron.BrowserWindow.getAllWindows()[0]?.webContents.getURL().endsWith('#/machines'))
    await app.evaluate((electron) => electron.BrowserWindow.getAllWindows()[1]?.setBounds({ x: 300, y: 200, width: 900, height: 700 }))
    await app.quit()
    app = await start()
    await app.until((electron) => electron.BrowserWindow.getAllWindows().length === 2)
    await app.until((electron) => electron.BrowserWindow.getAllWindows().every((window) => window.isVisible()))
    const shown = await app.evaluate((electron) =>
      electron.BrowserWindow.getAllWindows().map((window) => ({ x: window.getBounds().x, url: window.webContents.getURL() })),
    )
    expect(shown).toContainEqual({ x: 300, url: 'app://flotilla/index.html#/' })
    expect(shown.some(({ url }) => url.endsWith('#/machines'))).toBe(true)
  })

  it('ends in order when the computer is shut down', async () => {
    const held = await app.evaluate((electron) => {
      const event = { held: false, preventDefault: () => (event.held = true) }
      electron.powerMonitor.emit('resume')
      electron.powerMonitor.emit('shutdown', event)
      return event.held
    })
    expect(held).toBe(true)
    expect(await app.exited).toEqual({ code: 0, signal: null })
  })
})
