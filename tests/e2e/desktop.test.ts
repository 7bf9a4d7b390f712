/** The desktop app on its stand-in, with a node that it makes itself: deploy, read, type, all over IPC. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { build } from '../../scripts/build.ts'
import { builtApp, temporaryDir, type BuiltApp } from '../shell/built-app.ts'
import { launch, type RunningApp } from '../shell/stand-in/harness.ts'
import { run } from './cluster.ts'

let built: BuiltApp
let dir: Awaited<ReturnType<typeof temporaryDir>>
let desktop: RunningApp
let stateDir: string

async function start(): Promise<RunningApp> {
  const app = await launch({ app: built.dir, userData: dir.path, args: [`--state=${stateDir}`, '--nodes=1'] })
  await app.until((electron) => electron.BrowserWindow.getAllWindows()[0]?.isVisible())
  return app
}

beforeAll(async () => {
  await build(['agent', 'descriptions'])
  built = await builtApp()
  dir = await temporaryDir('flotilla-e2e-')
  stateDir = join(dir.path, 'state')
  desktop = await start()
})
afterAll(async () => {
  await desktop?.[Symbol.asyncDispose]()
  const { code, err } = await run(process.execPath, [built.flotilla, 'down', '--yes', '--state', stateDir])
  await dir[Symbol.asyncDispose]()
  await built[Symbol.asyncDispose]()
  if (code !== 0) throw new Error(err)
})

describe('the desktop app', () => {
  it('makes a node on this computer when it was started to', async () => {
    const page = await desktop.playwright()
    page.setDefaultTimeout(60_000)
    await page.getByText('Ready. It takes pods.').waitFor()
  })

  it('deploys, shows logs and runs a terminal, with nothing of Node in the page', async () => {
    const page = await desktop.playwright()
    await desktop.evaluate(({ standIn }) => standIn.clickMenu('File/Deploy…'))
    await expect.poll(() => page.getByRole('combobox', { name: 'Image' }).inputValue(), { timeout: 30_000 }).toBe('flotilla.local/demo:1')
    await page.getByRole('button', { name: 'Deploy to default' }).click()
    await page.getByText('3 of 3 ready').waitFor()
    await desktop.evaluate(({ standIn }) => standIn.clickMenu('View/Pods'))
    await page
      .getByText(/^demo-/)
      .first()
      .dblclick()
    await page.getByRole('main').getByRole('link', { name: /^Logs/ }).click()
    await page
      .getByText(/line \d+ from demo-/)
      .first()
      .waitFor()
    await page.getByRole('button', { name: 'Shell' }).click()
    const screen = page.locator('.xterm-rows:visible')
    await screen.getByText(/[#$]/).first().waitFor()
    await page.keyboard.type('echo $((6*7))\n')
    await screen.getByText('42', { exact: true }).waitFor()
    expect(await desktop.page('[typeof require, typeof process]')).toEqual(['undefined', 'undefined'])
  })

  it('finds its pods running after it was killed and started again', async () => {
    await desktop.kill('SIGKILL')
    desktop = await start()
    const page = await desktop.playwright()
    page.setDefaultTimeout(60_000)
    await page.getByText('3 of 3 ready').waitFor()
    const kubeconfig = join(stateDir, 'kubeconfig')
    const { out } = await run('kubectl', ['--kubeconfig', kubeconfig, 'get', 'pods', '-o', 'jsonpath={..restartCount}'])
    expect(out).toBe('0 0 0')
  })
})
