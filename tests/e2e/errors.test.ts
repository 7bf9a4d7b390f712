/** What goes wrong in a first hour, at the command line and in the UI: each names its cause and the next step, and leaves nothing. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Locator } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { USERS } from '../hosts/lab/base-root.ts'
import { Lab } from '../hosts/lab/lab.ts'
import type { TestHost } from '../hosts/lab/test-host.ts'
import { openPage, type OpenPage } from './browser.ts'
import { App, run, until } from './cluster.ts'

let app: App
let lab: Lab
let opened: OpenPage
let plain: TestHost
let changed: TestHost
let bare: TestHost
let full: TestHost
const untouched = new Map<TestHost, string[]>()
const OURS = ['/opt', '/var/lib/flotilla', '/run/flotilla', '/etc/cni', '/etc/systemd', '/root', '/home']

beforeAll(async () => {
  lab = await Lab.create()
  plain = await lab.host()
  changed = await lab.host()
  bare = await lab.host({ without: ['containerd', 'runc'] })
  full = await lab.host({ diskMebibytes: 300 })
  for (const host of [plain, changed, bare, full]) untouched.set(host, await host.files(...OURS))
  app = await App.create()
  await app.up(1)
  opened = await openPage(app.ready.ui)
})
afterAll(async () => {
  await opened?.[Symbol.asyncDispose]()
  await app?.[Symbol.asyncDispose]()
  await lab?.[Symbol.asyncDispose]()
})

interface Case {
  readonly what: string
  readonly host: () => string
  readonly user: keyof typeof USERS
  readonly password: string
  /** Of the command line. */
  readonly code: string
  readonly exit: number
  /** Both say this of the cause and of what to do next. */
  readonly cause: RegExp
  readonly next: RegExp
  readonly prepare?: () => Promise<void>
  /** A box that has to be ticked off in the UI, where the command line has to be told to do the same. */
  readonly without?: string
}

const ana = { user: 'ana', password: USERS.ana.password } as const

const CASES: readonly Case[] = [
  {
    what: 'a wrong password',
    host: () => plain.address,
    ...{ user: 'ana', password: 'guessed' },
    ...{ code: 'SSH_AUTH_FAILED', exit: 24, cause: /refused .*password/, next: /Check the user name and the password/ },
  },
  {
    what: 'a host that does not exist',
    host: () => 'nowhere.invalid',
    ...ana,
    ...{ code: 'SSH_HOST_UNKNOWN', exit: 20, cause: /does not resolve|was not found|no address/, next: /Check the spelling/ },
  },
  {
    what: 'a host key that changed',
    host: () => changed.address,
    ...ana,
    ...{ code: 'SSH_HOST_KEY_CHANGED', exit: 23, cause: /key of .* has changed/, next: /(installed|set up) anew/ },
    async prepare() {
      // The user has been there before.
      const old = await changed.hostKey()
      await writeFile(join(app.stateDir, 'ssh/known_hosts'), `${changed.address} ${old}\n`, { flag: 'a' })
      await changed.newHostKey()
    },
  },
  {
    what: 'a user without sudo',
    host: () => plain.address,
    ...{ user: 'eve', password: USERS.eve.password },
    ...{ code: 'NO_SUDO', exit: 30, cause: /sudo does not allow this user/, next: /sudo|root/ },
  },
  {
    what: 'a machine without containerd',
    host: () => bare.address,
    ...ana,
    ...{ code: 'NO_CONTAINERD', exit: 32, cause: /containerd/, next: /Let Flotilla install it|apt-get install/ },
    without: 'Install containerd if it is missing',
  },
  {
    what: 'a full disk',
    host: () => full.address,
    ...ana,
    ...{ code: 'PREFLIGHT_FAILED', exit: 31, cause: /\d+ MiB free/, next: /Free at least \d+ MiB/ },
    prepare: () => full.fill(40),
  },
]

const machines = async () =>
  (await app.get<{ items: { metadata: { name: string } }[] }>('machines')).items.map(({ metadata }) => metadata.name)

describe.each(CASES)('$what', ({ host, user, password, code, exit, cause, next, prepare, without }) => {
  beforeAll(async () => prepare?.())

  it('is told at the command line', async () => {
    const words = app.words('node', 'add', host(), '--user', user, '--password', '--name', 'tender', '--accept-new-host-key', '--json')
    const ran = await run(process.execPath, words, { env: { FLOTILLA_SSH_PASSWORD: password } })
    expect(ran.code).toBe(exit)
    const { error } = JSON.parse(ran.err.trim().split('\n').at(-1) ?? '') as { error: Record<'code' | 'what' | 'why' | 'next', string> }
    expect(error.code).toBe(code)
    expect(`${error.what} ${error.why}`).toMatch(cause)
    expect(error.next).toMatch(next)
    expect(await machines()).toEqual(app.ready.nodes)
  })

  it('is told in the UI', async () => {
    const dialog = await addMachine(host(), user, password, without)
    const confirm = dialog.getByRole('button', { name: 'Yes, it is mine' })
    const told = dialog.getByText(cause).first()
    await confirm.or(told).first().waitFor()
    if (await confirm.isVisible()) await confirm.click()
    await told.waitFor()
    await dialog.getByText(next).first().waitFor()
    expect(await machines()).toEqual(app.ready.nodes)
  })
})

it('nothing of all that has left a trace on a machine', async () => {
  for (const [host, before] of untouched) expect(await host.files(...OURS)).toEqual(before)
})

async function addMachine(host: string, user: string, password: string, without?: string): Promise<Locator> {
  const { page } = opened
  // What an earlier dialog held is gone.
  await page.reload()
  await page.getByRole('contentinfo').getByText('Live').waitFor()
  await page.getByRole('complementary', { name: 'Sections' }).getByRole('link', { name: 'Machines' }).click()
  await page.getByRole('main').getByRole('button', { name: 'Add machine' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Host').fill(host)
  await dialog.getByLabel('User').fill(user)
  await dialog.getByLabel('Node name').fill('tender')
  if (without) await dialog.getByRole('checkbox', { name: without }).uncheck()
  await dialog.getByText('Password', { exact: true }).click()
  await dialog.getByLabel('Password', { exact: true }).last().fill(password)
  await page.keyboard.press('Enter')
  return dialog
}

describe('a manifest', () => {
  const openEditor = async (text: string) => {
    const { page } = opened
    await page.reload()
    await page.getByRole('complementary', { name: 'Sections' }).getByRole('link', { name: 'Deploy', exact: true }).click()
    await page.getByText('YAML', { exact: true }).first().click()
    const editor = page.locator('.cm-content')
    await editor.click()
    await page.keyboard.press('Control+a')
    await page.keyboard.insertText(text)
    return page
  }
  const deployments = async () => (await app.kube('get', 'deployments', '-o', 'name')).trim()
  const SPEC = (more: string) => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: wrong
spec:
  ${more}
  selector:
    matchLabels: { app: wrong }
  template:
    metadata:
      labels: { app: wrong }
    spec:
      containers:
        - { name: c, image: "flotilla.local/nothing:1" }
`

  it('that is no YAML is told in the editor at its line, and nothing is made', async () => {
    const page = await openEditor('kind: [Deployment\nmetadata: }\n')
    await page.getByText('Line 2: the indentation does not fit the lines around it, or a bracket is not closed').first().waitFor()
    expect(
      await page
        .getByRole('button', { name: /^Deploy/ })
        .last()
        .isEnabled(),
    ).toBe(false)
    expect(await deployments()).toBe('')
  })

  it('with an unknown field is told by its path, and nothing is made', async () => {
    const page = await openEditor(SPEC('replicsa: 2'))
    await page.getByText('spec.replicsa is no field of a Deployment.').waitFor()
    await page.getByText('Mend the spelling or the place, or take it out.').waitFor()
    expect(await deployments()).toBe('')
  })

  it('with an image that cannot be had is told with the image, the reason and what to do', async () => {
    const page = await openEditor(SPEC('replicas: 1'))
    await page.getByRole('button', { name: /^Deploy to/ }).click()
    await page
      .getByText(/flotilla\.local\/nothing:1/)
      .first()
      .waitFor()
    await page
      .getByText(/ErrImagePull|ImagePullBackOff|cannot be pulled|could not be pulled/)
      .first()
      .waitFor()
    await until('the pod says it', async () => /ErrImagePull|ImagePullBackOff/.test(await app.kube('get', 'pods')))
    await app.kube('delete', 'deployment', 'wrong')
  })
})
