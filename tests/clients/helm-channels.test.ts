/** The UI's way to Helm, with the real programs: what it reads of releases, and what it has Helm do. */
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deployment } from '../../electron/api/apps/v1/deployment.ts'
import { configMap } from '../../electron/api/core/v1/config-map.ts'
import { persistentVolume } from '../../electron/api/core/v1/persistent-volume.ts'
import { secret } from '../../electron/api/core/v1/secret.ts'
import { decodeRelease, RELEASE_SELECTOR, type HelmRelease } from '../../electron/api/helm/release.ts'
import { computedValues } from '../../electron/api/helm/values.ts'
import { systemClock } from '../../electron/base/clock.ts'
import { createCaller, type Caller } from '../../electron/contracts/caller.ts'
import type { DownOf } from '../../electron/contracts/channel.ts'
import { HELM_CHANNELS, type HelmOperation } from '../../electron/contracts/helm.ts'
import type { Message, Port } from '../../electron/contracts/protocol.ts'
import { serveConnection } from '../../electron/contracts/server.ts'
import { describeFailure } from '../../electron/plane/face/describe.ts'
import { helmHandlers } from '../../electron/plane/helm/handlers.ts'
import { unpackTool } from '../../scripts/tools.ts'
import { startCluster, type Cluster } from './lib/cluster.ts'
import { run } from './lib/run.ts'
import { until } from './lib/until.ts'

const CHART = `${import.meta.dirname}/chart`
const WAITING = { wait: true, timeoutSeconds: 90 }
type Told = DownOf<(typeof HELM_CHANNELS)['helm.run']>

/** Both ends of one connection. */
function ports(): [Port, Port] {
  const make = () => ({ messages: [] as ((message: Message) => void)[], closes: [] as (() => void)[] })
  const [left, right] = [make(), make()]
  const port = (own: typeof left, other: typeof left): Port => ({
    post: (message) => queueMicrotask(() => other.messages.forEach((hear) => hear(message))),
    onMessage: (hear) => void own.messages.push(hear),
    onClose: (hear) => void own.closes.push(hear),
    close: () => [...own.closes, ...other.closes].forEach((hear) => hear()),
  })
  return [port(left, right), port(right, left)]
}

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster({ nodes: 2 })
  for (const i of [0, 1, 2, 3]) {
    const spec = {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce' as const],
      storageClassName: 'shop-disks',
      hostPath: { path: `/d/${i}` },
    }
    await cluster.client.create(persistentVolume, { metadata: { name: `disk-${i}` }, spec })
  }
})
afterAll(() => cluster[Symbol.asyncDispose]())

describe.each([
  [3, 'v32'],
  [4, 'v34'],
] as const)('with Helm %d', (major, layer) => {
  const namespace = `window-${major}`
  const at = { name: 'rel', namespace }
  const upgrade = { type: 'upgrade', ...at, ...WAITING, undoOnFailure: false, forceConflicts: true } as const
  let program: string
  let caller: Caller<typeof HELM_CHANNELS>

  beforeAll(async () => {
    const unpacked = await unpackTool(layer, 'helm')
    if (!unpacked) throw new Error('these tests need Linux on x64, for which there is a Helm in a package')
    program = unpacked
    const [ui, app] = ports()
    const { client, kubeconfig } = cluster
    const handlers = helmHandlers({ client, kubeconfig, clock: systemClock, path: dirname(program), usual: [] })
    serveConnection(app, HELM_CHANNELS, handlers, describeFailure)
    caller = createCaller(ui, HELM_CHANNELS)
  })
  afterAll(() => caller[Symbol.dispose]())

  const carryOut = async (operation: HelmOperation): Promise<Told[]> => {
    const told: Told[] = []
    for await (const { value } of caller.open('helm.run', operation)) told.push(value)
    return told
  }
  const succeed = async (operation: HelmOperation): Promise<Told[]> => {
    const told = await carryOut(operation)
    expect(told.at(-1), JSON.stringify(told, null, 1)).toEqual({ type: 'exit', code: 0 })
    return told
  }
  const releases = async (): Promise<HelmRelease[]> => {
    const { items } = await cluster.client.list(secret, { namespace, labelSelector: RELEASE_SELECTOR })
    const decoded = await Promise.all(items.map(({ data }) => decodeRelease(data?.['release'] ?? '')))
    return decoded.toSorted((a, b) => a.version - b.version)
  }
  const history = async () => (await releases()).map(({ version, info }) => `${version} ${info.status} ${info.description}`)
  const helm = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await run(program, [...args, '--namespace', namespace], {
      env: { KUBECONFIG: cluster.kubeconfig, HOME: cluster.dir },
    })
    expect(code, err).toBe(0)
    return out
  }

  it('finds the program and its version', async () => {
    expect(await caller.call('helm.info', undefined)).toMatchObject({ program: { path: program, major } })
  })

  it('reads a chart from its folder and from an archive alike', async () => {
    const folder = await caller.call('helm.chart', { chart: { type: 'path', path: CHART } })
    expect(folder).toMatchObject({ name: 'shop', version: '1.2.0', missing: [] })
    expect(folder.schema).toMatchObject({ required: ['image', 'replicas'] })
    await helm('package', CHART, '--destination', cluster.dir)
    const archive = await caller.call('helm.chart', { chart: { type: 'path', path: join(cluster.dir, 'shop-1.2.0.tgz') } })
    expect(archive).toMatchObject({ ...folder, values: folder.values })
  })

  it('says what a chart is not', async () => {
    await writeFile(join(cluster.dir, 'notes.tgz'), 'no archive')
    for (const path of ['/nowhere', join(cluster.dir, 'notes.tgz'), cluster.dir])
      await expect(caller.call('helm.chart', { chart: { type: 'path', path } })).rejects.toMatchObject({ failure: { code: 'HELM_FAILED' } })
  })

  it('previews, installs in phases, and shows the release as Helm does', async () => {
    const install = {
      ...({ type: 'install', ...at, ...WAITING, undoOnFailure: false, createNamespace: true } as const),
      chart: { type: 'path', path: CHART } as const,
      values: 'greeting: grüß dich\n',
    }
    // The chart's own definition must be there for a kind to be previewed.
    await run('kubectl', ['apply', '-f', `${CHART}/crds`], { env: { KUBECONFIG: cluster.kubeconfig, HOME: cluster.dir } })
    await run('kubectl', ['create', 'namespace', namespace], { env: { KUBECONFIG: cluster.kubeconfig, HOME: cluster.dir } })
    const preview = await caller.call('helm.preview', install)
    expect(preview.manifest).toContain('greeting: "grüß dich"')
    expect(preview.hooks).toContain('Job rel-shop-pre-install (pre-install)')
    expect(await history()).toEqual([])

    const told = await succeed(install)
    expect(told[0]).toMatchObject({ type: 'command', command: expect.stringContaining('helm install rel ') as string })
    const phases = told.flatMap((each) => (each.type === 'phase' ? [each.phase] : []))
    expect([...new Set(phases)]).toEqual(expect.arrayContaining(['prepare', 'apply', 'wait']))
    const details = told.flatMap((each) => (each.type === 'phase' ? [each.detail] : []))
    if (major === 4) expect(details).toContain('Deployment rel-shop')
    expect(told.map((each) => (each.type === 'line' ? each.text : '')).join('\n')).not.toContain('USER-SUPPLIED')

    const [release] = await releases()
    expect(release).toMatchObject({ name: 'rel', version: 1, info: { status: 'deployed' }, chart: { metadata: { name: 'shop' } } })
    const computed = computedValues(release?.chart.values, release?.config)
    expect(computed).toEqual(JSON.parse(await helm('get', 'values', 'rel', '--all', '-o', 'json')))
    expect(release?.manifest?.trim()).toBe((await helm('get', 'manifest', 'rel')).trim())
  })

  it('upgrades with the chart that the release keeps, and no values but those given', async () => {
    const kept = { type: 'kept', revision: 1 } as const
    expect(await caller.call('helm.chart', { chart: kept, ...at })).toMatchObject({ name: 'shop', version: '1.2.0' })
    await succeed({ ...upgrade, chart: kept, values: 'replicas: 3\n' })
    const { data } = await cluster.client.get(configMap, { namespace, name: 'rel-shop' })
    expect(data?.['greeting']).toBe('hello')
    expect((await releases()).at(-1)?.config).toEqual({ replicas: 3 })
  })

  it('tells why Helm refuses values', async () => {
    const operation = { ...upgrade, chart: { type: 'path', path: CHART }, values: 'replicas: 0\n' } as const
    await expect(caller.call('helm.preview', operation)).rejects.toMatchObject({
      failure: { code: 'HELM_FAILED', why: expect.stringMatching(/replicas/) as string },
    })
    const told = await carryOut(operation)
    expect(told.at(-1)).toEqual({ type: 'exit', code: 1 })
    expect(told.some((each) => each.type === 'line' && each.error && each.text.includes('replicas'))).toBe(true)
  })

  it('stops when it is cancelled, and the release says so', async () => {
    const values = 'missingImage: true\nimage: registry.example.com/shop:broken\n'
    const cancel = new AbortController()
    const stream = caller.open('helm.run', { ...upgrade, chart: { type: 'path', path: CHART }, values }, { signal: cancel.signal })
    await expect(
      (async () => {
        for await (const { value } of stream)
          if (value.type === 'phase' && value.phase === 'wait') cancel.abort(new DOMException('enough', 'AbortError'))
      })(),
    ).rejects.toThrow()
    await until('Helm marked the release as failed', async () => (await releases()).at(-1)?.info.status === 'failed')
  })

  it('rolls back and uninstalls', async () => {
    await succeed({ type: 'rollback', ...at, ...WAITING, revision: 1, forceConflicts: true })
    expect((await history()).at(-1)).toMatch(/ deployed Rollback to 1/)
    expect((await cluster.client.get(configMap, { namespace, name: 'rel-shop' })).data?.['greeting']).toBe('grüß dich')
    const told = await succeed({ type: 'uninstall', ...at, ...WAITING, keepHistory: false })
    expect(told.some((each) => each.type === 'phase' && each.phase === 'delete')).toBe(true)
    expect(await releases()).toEqual([])
    expect((await cluster.client.list(deployment, { namespace })).items).toEqual([])
  })
})

describe('without Helm', () => {
  it('says what is missing and how to get it', async () => {
    const { client, kubeconfig, dir } = cluster
    const [ui, app] = ports()
    serveConnection(app, HELM_CHANNELS, helmHandlers({ client, kubeconfig, clock: systemClock, path: dir, usual: [] }), describeFailure)
    using caller = createCaller(ui, HELM_CHANNELS)
    const { program, problem } = await caller.call('helm.info', undefined)
    expect(program).toBeUndefined()
    expect(problem).toMatchObject({ what: 'There is no helm on this computer.', next: expect.stringContaining('Install Helm') as string })
  })
})
