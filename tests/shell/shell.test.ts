import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { configMap } from '../../electron/api/core/v1/config-map.ts'
import { systemClock } from '../../electron/base/clock.ts'
import { readKubeconfig } from '../../electron/client/kubeconfig.ts'
import { createRemoteClient } from '../../electron/client/remote-client.ts'
import { builtApp, temporaryDir, type BuiltApp } from './built-app.ts'
import { launch, type RunningApp } from './stand-in/harness.ts'

const CONNECTED = 'document.body?.innerText.includes("no machines, no pods")'

let built: BuiltApp
beforeAll(async () => {
  built = await builtApp()
})
afterAll(() => built[Symbol.asyncDispose]())

const start = (dir: string): Promise<RunningApp> => launch({ app: built.dir, userData: dir, args: [`--state=${dir}/state`] })

async function connect(kubeconfig: string) {
  const { server, ca = '', identity } = await readKubeconfig(kubeconfig)
  return createRemoteClient({ server, ca, identity: () => identity, clock: systemClock })
}

describe('the window', () => {
  let dir: Awaited<ReturnType<typeof temporaryDir>>
  let app: RunningApp
  beforeAll(async () => {
    dir = await temporaryDir()
    app = await start(dir.path)
    await app.untilPage(CONNECTED)
  })
  afterAll(async () => {
    await app[Symbol.asyncDispose]()
    await dir[Symbol.asyncDispose]()
  })
  beforeEach(() => app.evaluate(({ standIn }) => void (standIn.desk.calls.length = 0)))

  it('shows the UI, sandboxed and isolated, with the bridge and nothing of Node', async () => {
    expect(await app.until((electron) => electron.BrowserWindow.getAllWindows()[0]?.isVisible())).toBe(true)
    const preferences = await app.evaluate((electron) => electron.BrowserWindow.getAllWindows()[0]?.options.webPreferences)
    expect(preferences).toMatchObject({ contextIsolation: true, sandbox: true, nodeIntegration: false })
    expect(await app.page('[typeof require, typeof process, typeof module, typeof Buffer]')).toEqual(Array(4).fill('undefined'))
    expect(await app.page('Object.keys(window.flotilla).sort()')).toEqual(
      [
        ...['platform', 'post', 'onMessage', 'onClose', 'onMenu', 'onOpen', 'onNotice', 'desktop', 'onDesktop', 'changeDesktop'],
        ...['update', 'pickFile', 'openExternal', 'setTheme', 'setLanguage'],
      ].sort(),
    )
  })

  it('runs no script but its own', async () => {
    expect(await app.page('(() => { try { return eval("1") } catch (error) { return error.name } })()')).toBe('EvalError')
    const inline = `new Promise((done) => {
      addEventListener('securitypolicyviolation', (event) => done(event.effectiveDirective), { once: true })
      const script = document.createElement('script')
      script.textContent = 'window.wasRun = true'
      document.head.append(script)
    })`
    expect(await app.page(inline)).toBe('script-src-elem')
    expect(await app.page('window.wasRun')).toBeUndefined()
    expect(await app.page('fetch("https://example.org").then(() => "sent", () => "refused")')).toBe('refused')
  })

  it('speaks with the plane through the bridge', async () => {
    await app.evaluate(({ standIn }) => standIn.clickMenu('File/Settings…'))
    await app.untilPage('document.body.innerText.includes("v1.36")')
  })

  it('goes where the menu says', async () => {
    await app.evaluate(({ standIn }) => standIn.clickMenu('View/Pods'))
    await app.untilPage('location.hash.startsWith("#/pods")')
    await app.evaluate(({ standIn }) => standIn.clickMenu('File/Deploy…'))
    await app.untilPage('location.hash.startsWith("#/deploy")')
  })

  it('opens web addresses outside, and nothing else anywhere', async () => {
    await app.page('window.open("https://example.org/x")')
    await app.page('window.open("file:///etc/passwd")')
    expect(await app.page('window.flotilla.openExternal("file:///etc/passwd").then(() => "opened", () => "refused")')).toBe('refused')
    await app.page('window.flotilla.openExternal("https://example.org/y")')
    const calls = await app.until(({ standIn }) => standIn.desk.calls.length >= 2 && standIn.desk.calls)
    expect(calls).toEqual([
      { api: 'shell.openExternal', args: ['https://example.org/x'] },
      { api: 'shell.openExternal', args: ['https://example.org/y'] },
    ])
  })

  it('stays on the app’s own pages', async () => {
    const before = await app.page('location.href')
    await app.page('void (location.href = "https://example.org/z")')
    const calls = await app.until(({ standIn }) => standIn.desk.calls.length > 0 && standIn.desk.calls)
    expect(calls).toEqual([{ api: 'shell.openExternal', args: ['https://example.org/z'] }])
    expect(await app.page('location.href')).toBe(before)
  })

  it('hands a chosen file’s path to the page, and asks for known purposes only', async () => {
    const picked = app.page('window.flotilla.pickFile("key")')
    await app.until(({ standIn }) => standIn.desk.dialogs.length > 0)
    await app.evaluate(({ standIn }) => standIn.desk.dialogs[0]?.answer({ canceled: false, filePaths: ['/home/ada/.ssh/id_ed25519'] }))
    expect(await picked).toBe('/home/ada/.ssh/id_ed25519')
    expect(await app.page('window.flotilla.pickFile("constructor").then(() => "asked", () => "refused")')).toBe('refused')
  })

  it('comes to the front when the app is started again, and the second one ends', async () => {
    await app.evaluate((electron) => electron.BrowserWindow.getAllWindows()[0]?.minimize())
    await using second = await start(dir.path)
    expect(await second.exited).toEqual({ code: 0, signal: null })
    await app.until((electron) => electron.BrowserWindow.getAllWindows()[0]?.isFocused())
    expect(await app.evaluate((electron) => electron.BrowserWindow.getAllWindows().length)).toBe(1)
  })
})

describe('the app', () => {
  it('goes on in the tray when its window is closed, says so, and ends from there', async () => {
    await using dir = await temporaryDir()
    await using app = await start(dir.path)
    await app.untilPage(CONNECTED)
    await app.evaluate((electron) => electron.BrowserWindow.getAllWindows()[0]?.close())
    await app.until((electron) => electron.BrowserWindow.getAllWindows().length === 0)
    const told = await app.until(({ standIn }) => standIn.notifications[0]?.title)
    expect(told).toBe('Flotilla goes on')
    await app.evaluate(({ standIn }) => standIn.trays[0]?.menu?.click('Open Flotilla'))
    await app.untilPage(CONNECTED)
    app.evaluate(({ standIn }) => standIn.trays[0]?.menu?.click('Quit (pods go on running)')).catch(() => undefined)
    expect(await app.exited).toEqual({ code: 0, signal: null })
  })

  it('opens where it was closed', async () => {
    await using dir = await temporaryDir()
    const place = { x: 120, y: 80, width: 1000, height: 700 }
    await using first = await start(dir.path)
    await first.until((electron) => electron.BrowserWindow.getAllWindows()[0]?.isVisible())
    await first.evaluate((electron, bounds) => electron.BrowserWindow.getAllWindows()[0]?.setBounds(bounds), place)
    await first.quit()
    await using second = await start(dir.path)
    const bounds = await second.until((electron) => electron.BrowserWindow.getAllWindows()[0]?.getBounds())
    expect(bounds).toEqual(place)
  })

  it('loses nothing when it is killed', async () => {
    await using dir = await temporaryDir()
    await using first = await start(dir.path)
    await first.untilPage(CONNECTED)
    const name = { namespace: 'default', name: 'note' }
    const kubeconfig = `${dir.path}/state/kubeconfig`
    {
      await using client = await connect(kubeconfig)
      await client.create(configMap, { metadata: name, data: { text: 'kept' } })
    }
    await first.kill('SIGKILL')
    await using second = await start(dir.path)
    await second.untilPage(CONNECTED)
    await using client = await connect(kubeconfig)
    expect((await client.get(configMap, name)).data).toEqual({ text: 'kept' })
  })

  it('asks whether to try again when the plane cannot start, and ends if not', async () => {
    await using dir = await temporaryDir()
    await writeFile(join(dir.path, 'state'), 'a file where a folder should be')
    await using app = await start(dir.path)
    const options = await app.until(({ standIn }) => standIn.desk.dialogs[0]?.options)
    expect(options).toMatchObject({ type: 'error', buttons: ['Try again', 'Quit'] })
    expect(JSON.stringify(options)).toContain(join(dir.path, 'state'))
    await app.evaluate(({ standIn }) => standIn.desk.dialogs[0]?.answer({ response: 1 }))
    expect(await app.exited).toMatchObject({ signal: null })
    expect(existsSync(join(dir.path, 'state/kubeconfig'))).toBe(false)
  })
})
