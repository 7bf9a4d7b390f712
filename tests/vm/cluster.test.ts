/** Virtual machines from the first command to the last. One by itself; with FLOTILLA_VM=whole three, and what takes more than one. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Node, Pod, Service } from '../../electron/api/core/v1/types.gen.ts'
import type { Machine } from '../../electron/api/infra/v1alpha1/types.ts'
import { until } from '../e2e/cluster.ts'
import { lacking, VmCluster } from './cluster.ts'

const WHOLE = process.env['FLOTILLA_VM'] === 'whole'
const COUNT = WHOLE ? 3 : 1
/** Emulated machines that share two processors with other work take their time. */
const PATIENCE = 600_000

interface Listed {
  name: string
  phase: string
  power: string
  address: string
  usedBytes: number
  snapshots: string[]
}

const why = lacking()
describe.skipIf(why !== null)(`virtual machines by QEMU${why ? ` (${why})` : ''}`, () => {
  let cluster: VmCluster
  let first = ''
  beforeAll(async () => {
    cluster = await VmCluster.create()
    await cluster.up(COUNT)
    first = cluster.ready.nodes[0] ?? ''
  })
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]()
  })

  const list = () => cluster.json<Listed[]>('vm', 'list')
  const nodeReady = async (name: string) =>
    (await cluster.get<Node>('node', name)).status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
  const running = async (selector: string) =>
    (await cluster.get<{ items: Pod[] }>('pods', '-l', selector)).items.filter(
      ({ metadata, status }) =>
        !metadata.deletionTimestamp && status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'),
    )
  const shell = (script: string) => cluster.kube(['exec', `deployment/web`, '--', 'sh', '-c', script])
  const onGuest = async (name: string, script: string) => {
    const { out, code, err } = await cluster.guest(name, script)
    if (code !== 0) throw new Error(err)
    return out
  }

  it('become nodes with addresses of their own', async () => {
    const { items } = await cluster.get<{ items: Node[] }>('nodes')
    expect(items.map(({ metadata }) => metadata.name)).toEqual([...cluster.ready.nodes].sort())
    for (const { metadata } of items) expect(await nodeReady(metadata.name)).toBe(true)
    const listed = await list()
    expect(new Set(listed.map(({ address }) => address)).size).toBe(COUNT)
    for (const vm of listed)
      expect(vm).toMatchObject({ phase: 'Ready', power: 'On', address: expect.stringMatching(/^10\.78\.\d+\.\d+$/) as string })
  })

  it('write what they do while they start to their serial line', async () => {
    const { text } = await cluster.json<{ text: string }>('vm', 'log', first)
    expect(text).toContain(`${first} login:`)
  })

  it('run a deployment', async () => {
    await cluster.kube(['create', 'deployment', 'web', '--image=flotilla.local/demo:1', `--replicas=${COUNT}`, '--port=8080'])
    await cluster.kube(['rollout', 'status', 'deployment/web', '--timeout=280s'])
    await cluster.kube(['expose', 'deployment', 'web', '--port=80', '--target-port=8080'])
    const pods = await running('app=web')
    expect(pods).toHaveLength(COUNT)
    const { spec } = await cluster.get<Service>('service', 'web')
    // Through the Service until each pod has answered: with more machines, across them.
    const answered = new Set<string>()
    await until(
      'each pod answers at the Service',
      async () => {
        const page = await shell(`printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 20 ${spec.clusterIP} 80`)
        for (const { metadata } of pods) if (page.includes(metadata.name)) answered.add(metadata.name)
        return answered.size === COUNT
      },
      PATIENCE,
    )
  })

  it('are suspended, and go on where they were with the right time', async () => {
    const before = await onGuest(first, 'cat /proc/sys/kernel/random/boot_id')
    expect(await cluster.json('vm', 'suspend', first)).toEqual({ name: first, phase: 'Suspended' })
    expect((await list()).find(({ name }) => name === first)).toMatchObject({ phase: 'Suspended', power: 'Suspended' })
    await expect(cluster.pid(first)).rejects.toMatchObject({ code: 'ENOENT' })
    expect(await cluster.json('vm', 'resume', first)).toEqual({ name: first, phase: 'Ready' })
    const [boot, now] = (await onGuest(first, 'cat /proc/sys/kernel/random/boot_id; date +%s')).trim().split('\n')
    expect(boot).toBe(before.trim())
    expect(Math.abs(Number(now) - Date.now() / 1000)).toBeLessThan(60)
    await until(`${first} is Ready`, () => nodeReady(first), PATIENCE)
  })

  it('are started again when QEMU is killed', async () => {
    const pid = await cluster.pid(first)
    process.kill(pid, 'SIGKILL')
    await until('another QEMU runs', async () => (await cluster.pid(first).catch(() => pid)) !== pid, PATIENCE)
    const linked = async () => {
      const { status } = await cluster.get<Machine>('machine', first)
      return status.phase === 'Ready' && status.link?.connected
    }
    await until('it is linked again', linked, PATIENCE)
    await until('its node is Ready', () => nodeReady(first), PATIENCE)
    await until('all pods run again', async () => (await running('app=web')).length === COUNT, PATIENCE)
  })

  if (WHOLE) {
    it('outlive the app, and are found again', async () => {
      const pids = await Promise.all(cluster.ready.nodes.map((name) => cluster.pid(name)))
      await cluster.stop('SIGKILL')
      await cluster.up(COUNT)
      expect(await Promise.all(cluster.ready.nodes.map((name) => cluster.pid(name)))).toEqual(pids)
    })

    it('are put back to a snapshot', async () => {
      await onGuest(first, 'echo before > /root/mark')
      await cluster.json('vm', 'snapshot', first, 'one')
      await onGuest(first, 'echo after > /root/mark')
      await cluster.json('vm', 'snapshot', first, 'one', '--restore')
      await until('the file is as it was', async () => (await onGuest(first, 'cat /root/mark')).trim() === 'before', PATIENCE)
      expect(await cluster.json('vm', 'snapshot', first)).toEqual([expect.objectContaining({ name: 'one' })])
      await cluster.json('vm', 'snapshot', first, 'one', '--delete')
      expect(await cluster.json('vm', 'snapshot', first)).toEqual([])
    })

    it('are given more, shut down, compacted and started', async () => {
      await cluster.json('vm', 'resize', first, '--memory', '768', '--disk', '9')
      await until(
        'the disk has grown',
        async () => Number(await onGuest(first, 'df -BM --output=size / | tail -n 1 | tr -d M')) > 8500,
        PATIENCE,
      )
      await cluster.json('vm', 'stop', first)
      expect((await list()).find(({ name }) => name === first)).toMatchObject({ phase: 'Stopped' })
      const { before, after } = await cluster.json<{ before: number; after: number }>('vm', 'compact', first)
      expect(after).toBeLessThanOrEqual(before)
      await cluster.json('vm', 'start', first)
      expect(Number(await onGuest(first, "awk '/MemTotal/ { print int($2 / 1024) }' /proc/meminfo"))).toBeGreaterThan(690)
    })
  }

  it('are deleted, and nothing is left', async () => {
    const { removed } = await cluster.json<{ removed: string[] }>('down', '--yes')
    expect([...removed].sort()).toEqual([...cluster.ready.nodes].sort())
    expect(await cluster.remains()).toEqual([])
    expect((await cluster.get<{ items: unknown[] }>('nodes')).items).toEqual([])
  })
})
