/** Machine objects on the real API server, with real machines behind them; only the agent is a stub, and the test plays its Node. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink } from 'node:fs/promises'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { node as nodeKind } from '../../electron/api/core/v1/node.ts'
import { secret as secretKind } from '../../electron/api/core/v1/secret.ts'
import { machine as machineKind } from '../../electron/api/infra/v1alpha1/machine.ts'
import type { Machine } from '../../electron/api/infra/v1alpha1/types.ts'
import { startTestServer, type TestServer } from '../../electron/apiserver/testing/harness.ts'
import { systemClock } from '../../electron/base/clock.ts'
import { jsonLogger } from '../../electron/base/logger.ts'
import { systemRandom } from '../../electron/base/random.ts'
import { createInformers } from '../../electron/client/informers.ts'
import { imageArchive } from '../../electron/provision/images/archive.ts'
import { createMachines, type Machines } from '../../electron/provision/machines.ts'
import type { ImportEvent } from '../../electron/provision/machines/import-archive.ts'
import { sandboxNames } from '../../electron/provision/sandbox/names.ts'
import { pauseProgram } from '../../electron/provision/images/pause-program.ts'
import { USERS } from './lab/base-root.ts'
import { printed } from './lab/printed.ts'
import { Lab, until } from './lab/lab.ts'
import { CLUSTER, labEnvironment, STUB_AGENT } from './lab/provisioning.ts'
import type { TestHost } from './lab/test-host.ts'

const exec = promisify(execFile)
const ROOT = join(import.meta.dirname, '../..')

let lab: Lab
let server: TestServer
let api: Server
let stateDir: string
let agentDir: string
const logged: string[] = []

beforeAll(async () => {
  lab = await Lab.create()
  agentDir = join(lab.dir, 'agent')
  await mkdir(agentDir)
  await symlink(STUB_AGENT, join(agentDir, 'agent.mjs'))
  api = createServer((socket) => socket.on('error', () => undefined).end('the API server'))
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  api?.close()
  await lab?.[Symbol.asyncDispose]()
})

beforeEach(async () => {
  server = await startTestServer()
  stateDir = await realpath(await mkdtemp(join(tmpdir(), 'machines-')))
})
afterEach(async () => {
  if ((await readdir(stateDir)).includes('sandbox')) {
    await using app = await startApp()
    for (const { metadata } of await list()) await app.machines.remove({ name: metadata.name, forget: true })
    await until('all are removed', async () => (await list()).length === 0)
  }
  await server[Symbol.asyncDispose]()
  await rm(stateDir, { recursive: true })
})

interface App extends AsyncDisposable {
  readonly machines: Machines
}

/** One run of the app: machines, and a Node for each agent that runs. */
async function startApp(): Promise<App> {
  const logger = jsonLogger({ clock: systemClock, sink: (line) => logged.push(line) })
  const informers = createInformers(server.client, { clock: systemClock, logger })
  const machines = createMachines({
    client: server.client,
    informers,
    stateDir,
    clock: systemClock,
    random: systemRandom,
    logger,
    version: '0.1.0',
    cluster: CLUSTER,
    apiPort: () => (api.address() as AddressInfo).port,
    agentTls: null,
    agentDir,
    runtimeDirs: [join(ROOT, 'node_modules')],
    unitsDir: join(ROOT, 'resources/units'),
    environment: labEnvironment(lab),
    egress: false,
  })
  const kubelet = informers.for(machineKind).on({
    update: (machine) =>
      void (machine.status.steps?.find((step) => step.name === 'join')?.state === 'running' && register(machine.metadata.name)),
  })
  await informers.start()
  await machines.start()
  return {
    machines,
    async [Symbol.asyncDispose]() {
      kubelet[Symbol.dispose]()
      await machines[Symbol.asyncDispose]()
      await informers[Symbol.asyncDispose]()
    },
  }
}

async function register(name: string): Promise<void> {
  await server.client.create(nodeKind, { apiVersion: 'v1', kind: 'Node', metadata: { name } }).catch(() => undefined)
  const now = new Date(systemClock.now() + 1000).toISOString().replace(/\.\d+Z/, 'Z')
  const conditions = [{ type: 'Ready', status: 'True', reason: 'Stub', message: '', lastHeartbeatTime: now, lastTransitionTime: now }]
  await server.client.patch(nodeKind, { name }, { type: 'merge', body: { status: { conditions } } }, { subresource: 'status' })
}

const list = async (): Promise<readonly Machine[]> => (await server.client.list(machineKind)).items
const get = (name: string): Promise<Machine> => server.client.get(machineKind, { name })

async function phase(name: string, wanted: string, timeoutMs = 180_000): Promise<Machine> {
  let last: Machine | null = null
  await until(`${name} is ${wanted}`, async () => ((last = await get(name)), last.status.phase === wanted), timeoutMs).catch(
    (error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(last?.status)}`)
    },
  )
  return await get(name)
}

async function viaLink(app: App, name: string): Promise<string> {
  return await text(await app.machines.dial(name, 10250))
}

async function addHost(
  app: App,
  host: TestHost,
  name: string,
  credentials: Parameters<Machines['add']>[0]['credentials'],
  user = 'root',
): Promise<void> {
  const address = { host: host.address, port: host.port, user }
  const scanned = await app.machines.scanHostKey(address, AbortSignal.timeout(10_000))
  await app.machines.add({ name, ...address, hostKey: scanned.key, credentials })
}

describe('sandbox machines', () => {
  it('become nodes within seconds, are linked both ways, and go without a trace', async () => {
    await using app = await startApp()
    const begun = performance.now()
    const names = [(await app.machines.addSandbox({})).name, (await app.machines.addSandbox({ name: 'other', memoryBytes: 1 << 30 })).name]
    expect(names).toEqual(['node-1', 'other'])
    await expect(app.machines.addSandbox({ name: 'other' })).rejects.toMatchObject({ code: 'MACHINE_CONFLICT' })
    const [one] = await Promise.all(names.map((name) => phase(name, 'Ready')))
    console.log(`two sandbox machines ready in ${Math.round(performance.now() - begun)} ms`)
    expect(one?.status).toMatchObject({
      link: { connected: true },
      architecture: 'amd64',
      agentVersion: '0.1.0',
      address: one?.spec.ssh?.host as string,
    })
    expect(one?.status.steps?.find((step) => step.name === 'runtime')?.detail).toBe('is there already')
    for (const name of names) expect(await viaLink(app, name)).toBe(`${name} the API server`)
    const other = JSON.parse(
      await readFile(join(sandboxNames(stateDir).folder('other'), 'root/var/lib/flotilla/agent/config.json'), 'utf8'),
    ) as object
    expect(other).toMatchObject({ memoryLimitBytes: 1 << 30, serviceManager: 'none' })
    // The tokens they joined with are gone.
    expect(
      (await server.client.list(secretKind, { namespace: 'kube-system' })).items.filter(({ type }) => type?.includes('bootstrap')),
    ).toEqual([])
    for (const name of names) await app.machines.remove({ name })
    await until('they are gone', async () => (await list()).length === 0)
    await expect(server.client.get(nodeKind, { name: 'node-1' })).rejects.toMatchObject({ reason: 'NotFound' })
    expect((await readdir(stateDir)).includes('sandbox')).toBe(false)
    const { stdout: links } = await exec('ip', ['-o', 'link'])
    expect(links).not.toContain(sandboxNames(stateDir).bridge)
    await expect(viaLink(app, 'other')).rejects.toMatchObject({ reason: 'ServiceUnavailable' })
  })

  it('are found again after the app was closed, and after they lost power', async () => {
    const names = sandboxNames(stateDir)
    const pidOf = async () => (await readFile(join(names.folder('one'), 'pid'), 'utf8')).split(' ')[0]
    {
      await using app = await startApp()
      await app.machines.addSandbox({ name: 'one' })
      await phase('one', 'Ready')
    }
    const pid = await pidOf()
    await using app = await startApp()
    await until('the link is back', async () => (await viaLink(app, 'one').catch(() => '')) === 'one the API server')
    expect(await pidOf()).toBe(pid)
    process.kill(Number(pid), 'SIGKILL')
    const begun = performance.now()
    await until('it came up again by itself', async () => (await pidOf()) !== pid)
    await until('it is linked again', async () => (await viaLink(app, 'one').catch(() => '')) === 'one the API server', 60_000)
    console.log(`a sandbox without power is linked again after ${Math.round(performance.now() - begun)} ms`)
  })

  it('that were being set up when the app was closed are finished by the next', async () => {
    {
      await using app = await startApp()
      await app.machines.addSandbox({ name: 'one' })
      await until(
        'it is being set up',
        async () => (await get('one')).status.steps?.some((step) => step.name === 'configure' && step.state === 'done') ?? false,
      )
    }
    expect((await get('one')).status.phase).toBe('Provisioning')
    await using app = await startApp()
    await phase('one', 'Ready')
    expect(await viaLink(app, 'one')).toBe('one the API server')
  })

  it('let go of the link when the network is cut, and have it back soon after it returns', async () => {
    await using app = await startApp()
    await app.machines.addSandbox({ name: 'one' })
    await phase('one', 'Ready')
    // Not by its link, which is seen to whenever a sandbox is connected to.
    const { host } = (await get('one')).spec.ssh ?? {}
    const table = `test-${process.pid}`
    await exec('nft', ['add', 'table', 'ip', table])
    await exec('nft', ['add', 'chain', 'ip', table, 'out', '{ type filter hook output priority 0; }'])
    await exec('nft', ['add', 'rule', 'ip', table, 'out', 'ip', 'daddr', host ?? '', 'drop'])
    try {
      const cut = await phase('one', 'Unreachable')
      expect(cut.status.link).toMatchObject({ connected: false, lastError: expect.stringContaining('stopped answering') as string })
    } finally {
      await exec('nft', ['delete', 'table', 'ip', table])
    }
    const begun = performance.now()
    await phase('one', 'Ready')
    const took = performance.now() - begun
    console.log(`linked again ${Math.round(took)} ms after the network came back`)
    expect(took).toBeLessThan(12_000)
    expect(await viaLink(app, 'one')).toBe('one the API server')
  })

  it('give a shell and take images', async () => {
    await using app = await startApp()
    for (const name of ['one', 'two']) await app.machines.addSandbox({ name })
    for (const name of ['one', 'two']) await phase(name, 'Ready')
    const abort = new AbortController()
    using shell = await app.machines.shell({ name: 'one', size: { cols: 90, rows: 20 } }, abort.signal)
    const output = printed(shell.output)
    await shell.write(Buffer.from('stty size; hostname; exit 3\n'))
    expect(await output).toMatch(/20 90\r\none\r\n/)
    expect(await shell.exit).toBe(3)

    const archive = await imageArchive('example.org/team/app:7', [
      { architecture: 'amd64', entries: [{ path: 'app', mode: 0o755, content: pauseProgram('amd64') }], entrypoint: ['/app'] },
    ])
    const events: ImportEvent[] = []
    async function* source(bytes: Uint8Array) {
      for (let at = 0; at < bytes.length; at += 3000) yield bytes.subarray(at, at + 3000)
    }
    await app.machines.importImages({ source: source(archive) }, (event) => events.push(event), abort.signal)
    const done = events.filter((event) => event.type === 'done')
    expect(Object.fromEntries(done.map(({ machine, images }) => [machine, images]))).toEqual({
      one: ['example.org/team/app:7'],
      two: ['example.org/team/app:7'],
    })
    await expect(app.machines.importImages({ source: source(new Uint8Array(9000)) }, () => undefined, abort.signal)).rejects.toMatchObject({
      code: 'IMAGE_IMPORT_FAILED',
    })
    const foreign = await imageArchive('example.org/arm:1', [
      { architecture: 'arm64', entries: [{ path: 'app', mode: 0o755, content: pauseProgram('arm64') }], entrypoint: ['/app'] },
    ])
    events.length = 0
    await app.machines.importImages({ source: source(foreign), machines: ['two'] }, (event) => events.push(event), abort.signal)
    expect(events.at(-1)).toMatchObject({ type: 'failed', machine: 'two', why: expect.stringContaining('processor') as string })
    expect((await readdir(join(stateDir, 'cache')).catch(() => [])).filter((file) => file.startsWith('import-'))).toEqual([])
  })
})

describe('machines over SSH', () => {
  it('are scanned, looked at, set up with a password that is kept nowhere, and cleaned with the sudo password', async () => {
    const host = await lab.host({ systemd: true })
    await using app = await startApp()
    const address = { host: host.address, port: 22, user: 'ana' }
    const signal = AbortSignal.timeout(600_000)
    const scanned = await app.machines.scanHostKey(address, signal)
    expect(scanned).toMatchObject({ state: 'unknown', key: await host.hostKey() })
    const look = (password: string) => app.machines.preflight({ ...address, hostKey: scanned.key, credentials: { password } }, signal)
    const checks = await look(USERS.ana.password)
    expect(checks.every((check) => check.state === 'ok')).toBe(true)
    await expect(look('wrong')).rejects.toMatchObject({ code: 'SSH_AUTH_FAILED' })
    const eve = { ...address, user: 'eve', hostKey: scanned.key, credentials: { password: USERS.eve.password } }
    expect(await app.machines.preflight(eve, signal)).toMatchObject([{ name: 'Rights', state: 'fail' }])
    expect(await host.files('/opt', '/var/lib/flotilla')).toEqual(['/opt'])

    await addHost(app, host, 'ana', { password: USERS.ana.password }, 'ana')
    const ready = await phase('ana', 'Ready')
    expect(ready.spec.ssh).toMatchObject({ auth: 'password', hostKey: scanned.key })
    expect(ready.status.setup?.sentBytes).toBeGreaterThan(20 << 20)
    expect(ready.status.setup).toMatchObject({ milliseconds: expect.any(Number) as number, receivedBytes: expect.any(Number) as number })
    expect((await app.machines.scanHostKey(address, signal)).state).toBe('known')
    expect(await viaLink(app, 'ana')).toBe('ana the API server')
    // What was given is in no object, no file and no log.
    const files = await readdir(stateDir, { recursive: true, withFileTypes: true })
    const contents = await Promise.all(
      files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name), 'latin1')),
    )
    const everything = [JSON.stringify(await list()), ...logged, ...contents].join('\n')
    expect(everything).not.toContain(USERS.ana.password)

    // sudo asks for the password, which nobody has any more.
    await app.machines.remove({ name: 'ana' })
    await until('the removal fails', async () => (await get('ana')).status.failure !== undefined)
    expect((await get('ana')).status).toMatchObject({ phase: 'Removing', failure: { code: 'NO_SUDO', step: 'clean' } })
    await app.machines.remove({ name: 'ana', credentials: { sudoPassword: USERS.ana.password } })
    await until('it is removed', async () => (await list()).length === 0)
    expect(await host.files('/opt', '/var/lib/flotilla', '/run/flotilla', '/etc/cni')).toEqual(['/opt'])
    expect(await host.run('cat /home/ana/.ssh/authorized_keys')).not.toContain('flotilla')
    expect((await app.machines.scanHostKey(address, signal)).state).toBe('unknown')
  })

  it('that fail say why, can be tried again, cancelled, and removed untouched', async () => {
    const host = await lab.host()
    await using app = await startApp()
    await addHost(app, host, 'moth', { password: 'wrong' })
    expect((await phase('moth', 'Failed')).status.failure).toMatchObject({ code: 'SSH_AUTH_FAILED', step: 'connect' })
    await app.machines.retry({ name: 'moth', credentials: { password: USERS.root.password } })
    await until(
      'it copies',
      async () => (await get('moth')).status.steps?.some(({ name, state }) => name === 'runtime' && state === 'running') ?? false,
    )
    await app.machines.cancel({ name: 'moth' })
    expect((await phase('moth', 'Failed')).status.failure).toMatchObject({ code: 'CANCELLED' })
    await app.machines.retry({ name: 'moth' })
    const ready = await phase('moth', 'Ready')
    expect(ready.status.failure).toBeUndefined()
    await app.machines.remove({ name: 'moth' })
    await until('it is removed', async () => (await list()).length === 0)
    expect(await host.files('/opt', '/var/lib/flotilla', '/run/flotilla')).toEqual(['/opt'])

    await addHost(app, host, 'wasp', { password: 'wrong' })
    await phase('wasp', 'Failed')
    await host.stop()
    // Nothing was changed on it, so nothing has to be reached.
    await app.machines.remove({ name: 'wasp' })
    await until('it is removed', async () => (await list()).length === 0)
  })

  it('that show another key than before are not signed in to, and can be forgotten when they are gone', async () => {
    const host = await lab.host()
    await using app = await startApp()
    await addHost(app, host, 'moth', { keyFile: lab.keyFile })
    await phase('moth', 'Ready')
    await host.newHostKey()
    await host.run(`kill $(pgrep -f '^sshd: root')`)
    await until('the link is down for the key', async () => /is not the host/.test((await get('moth')).status.link?.lastError ?? ''))
    expect((await app.machines.scanHostKey({ host: host.address, port: 22, user: 'root' }, AbortSignal.timeout(9000))).state).toBe(
      'changed',
    )
    await app.machines.remove({ name: 'moth' })
    await until('the removal fails', async () => (await get('moth')).status.failure?.code === 'SSH_HOST_KEY_CHANGED')
    await app.machines.remove({ name: 'moth', forget: true })
    await until('it is removed', async () => (await list()).length === 0)
  })

  it('made with kubectl are set up like any other, with the key file that the object names', async () => {
    const host = await lab.host()
    await using app = await startApp()
    const ssh = { host: host.address, port: 22, user: 'root', hostKey: await host.hostKey(), auth: 'key' as const, keyFile: lab.keyFile }
    await server.client.create(machineKind, {
      apiVersion: 'infra.flotilla.dev/v1alpha1',
      kind: 'Machine',
      metadata: { name: 'moth' },
      spec: { provider: 'ssh', ssh, labels: { zone: 'attic' } },
    })
    const ready = await phase('moth', 'Ready')
    expect(ready.metadata.finalizers).toEqual(['infra.flotilla.dev/machine'])
    expect(JSON.parse(await host.run('cat /var/lib/flotilla/agent/config.json'))).toMatchObject({ labels: { zone: 'attic' } })
    await host.reboot()
    // No systemd there: the link starts the services again.
    await until('its agent is back', async () => (await viaLink(app, 'moth').catch(() => '')) === 'moth the API server')
    await server.client.delete(machineKind, { name: 'moth' })
    await until('it is removed', async () => (await list()).length === 0)
    expect(await host.files('/opt', '/var/lib/flotilla', '/run/flotilla')).toEqual(['/opt'])
  })
})
