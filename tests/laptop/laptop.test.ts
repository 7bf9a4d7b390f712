/** What a desktop and its network do all day: the nodes come back by themselves, and no pod notices. FLOTILLA_LAPTOP=whole takes longer naps. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Event, Node } from '../../electron/api/core/v1/types.gen.ts'
import { findCondition } from '../../electron/machinery/conditions.ts'
import { until } from '../e2e/cluster.ts'
import { Desk, driving, lives } from './desk.ts'
import { expiredCertificate } from './expired.ts'

const exec = promisify(execFile)
const WHOLE = process.env['FLOTILLA_LAPTOP'] === 'whole'
const NAP_MS = WHOLE ? 180_000 : 15_000

let desk: Desk
const address: Record<string, string> = {}
let before: string[]

beforeAll(async () => {
  desk = await Desk.create()
  await desk.open()
  for (const info of await desk.addHosts(['one', 'two'], 'attic')) address[info.name] = info.address
  expect(await desk.kube('get', 'nodes', '-l', 'flotilla.dev/pool=attic', '-o', 'name')).toBe('node/one\nnode/two\n')
  await desk.apply(`
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 4
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      topologySpreadConstraints:
        - { maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule, labelSelector: { matchLabels: { app: web } } }
      containers: [{ name: demo, image: "flotilla.local/demo:1" }]
`)
  await desk.kube('rollout', 'status', 'deployment/web', '--timeout=90s')
})
afterAll(() => desk?.[Symbol.asyncDispose]())

beforeEach(async () => {
  before = lives(await desk.pods('app=web'))
})
/** Nothing drives pods away, and both nodes answer in both directions. */
afterEach(async () => {
  expect(await driving(desk)).toEqual([])
  for (const pod of await desk.pods('app=web')) expect(await desk.kube('logs', pod.metadata.name, '--tail=1')).not.toBe('')
})

const linked = async (name: string) => {
  const { status } = await desk.machine(name)
  return status.link?.connected ? status : null
}

/** What goes out from here to a host is treated like this while `use` runs. */
async function withRule(rule: string, use: () => Promise<void>): Promise<void> {
  const table = `laptop-${randomBytes(4).toString('hex')}`
  await exec('nft', ['add', 'table', 'ip', table])
  try {
    await exec('nft', [`add chain ip ${table} out { type filter hook output priority 0; }`])
    await exec('nft', [`add rule ip ${table} out ${rule}`])
    await use()
  } finally {
    await exec('nft', ['delete', 'table', 'ip', table])
  }
}

describe('a desktop', () => {
  it(`that sleeps for ${NAP_MS / 1000} s finds its nodes and pods as it left them`, async () => {
    desk.freeze()
    await wait(NAP_MS)
    const woken = Date.now()
    desk.thaw()
    for (const name of ['one', 'two']) await desk.untilHeard(name, woken)
    expect(await linked('one')).toMatchObject({ phase: 'Ready', conditions: [{ type: 'Linked', status: 'True', reason: 'Connected' }] })
    expect(lives(await desk.pods('app=web'))).toEqual(before)
    const { items } = await desk.get<{ items: Event[] }>('events')
    expect(items.filter(({ reason }) => ['NodeNotReady', 'TaintManagerEviction', 'Killing'].includes(reason ?? ''))).toEqual([])
  })

  it('that is killed and started again takes up where it was', async () => {
    await desk.close('SIGKILL')
    await desk.open()
    const begun = Date.now()
    for (const name of ['one', 'two']) await desk.untilHeard(name, begun)
    expect(lives(await desk.pods('app=web'))).toEqual(before)
  })
})

describe('a host', () => {
  it('whose connections are reset is linked again at once, and its status says what happened', async () => {
    const { link } = (await desk.machine('one')).status
    let reason = ''
    await withRule(`ip daddr ${address['one']} tcp dport 22 reject with tcp reset`, async () => {
      const down = await until('the link is down', async () => {
        const { status } = await desk.machine('one')
        return status.link?.connected === false && status.link.nextAttempt !== undefined && status
      })
      reason = findCondition(down.conditions, 'Linked')?.reason ?? ''
      expect(down.link).toMatchObject({
        attempts: expect.any(Number) as number,
        lastError: expect.stringMatching(/reset|refuse|nothing listens|ended it/i) as string,
      })
    })
    expect(['Unreachable', 'ConnectionLost']).toContain(reason)
    const up = await until('the link is up', () => linked('one'))
    expect(up.link?.since).not.toBe(link?.since)
    expect(up.link).not.toHaveProperty('nextAttempt')
    expect(lives(await desk.pods('app=web'))).toEqual(before)
  })

  it('that gets another address is followed there, by the link and by its node', async () => {
    const old = address['two'] ?? ''
    const moved = old.replace(/\d+$/, '200')
    const gateway = old.replace(/\d+$/, '1')
    await desk.onHost(
      'two',
      `ip addr flush dev eth0 scope global; ip addr add ${moved}/24 dev eth0; ip route replace default via ${gateway}`,
    )
    await desk.kube('patch', 'machine', 'two', '--type=merge', '-p', JSON.stringify({ spec: { ssh: { host: moved } } }))
    await until('the link is there', async () => (await linked('two'))?.address === moved)
    await until('the node is there', async () => {
      const { status } = await desk.get<Node>('node', 'two')
      return status.addresses?.some((one) => one.type === 'InternalIP' && one.address === moved)
    })
    await desk.untilHeard('two', Date.now())
    address['two'] = moved
    expect(lives(await desk.pods('app=web'))).toEqual(before)
  })

  it('whose certificates ran out while it was off joins anew through SSH', async () => {
    const pki = await expiredCertificate(desk.stateDir, 'one')
    const folder = '/var/lib/flotilla/agent/pki'
    let restarted = 0
    await withRule(`ip daddr ${address['one']} tcp dport 22 reject with tcp reset`, async () => {
      await until('the link is down', async () => !(await linked('one')))
      const script = `for which in client serving; do cat > ${folder}/$which.pem <<'X'\n${pki}X\ndone\n/opt/flotilla/bin/flotilla-services restart agent`
      await desk.onHost('one', script)
      restarted = Date.now()
      await until('it sees that nothing of it holds', async () =>
        (await desk.onHost('one', 'ls /var/lib/flotilla/link')).includes('wants-token'),
      )
    })
    await desk.untilHeard('one', restarted)
    const validTo = await desk.onHost('one', `openssl x509 -in ${folder}/client.pem -noout -checkend 86400 && ls /var/lib/flotilla/link`)
    expect(validTo).toMatch(/will not expire\n(address\n)?api-port\n$/)
    // What it joined with is of no use to anyone any more.
    await until(
      'the token is gone',
      async () => !(await desk.kube('-n', 'kube-system', 'get', 'secrets', '-o', 'name')).includes('bootstrap-token'),
    )
    expect(lives(await desk.pods('app=web'))).toEqual(before)
  })

  it('whose agent is of another build gets this one and, if told so, its own back, while its pods run on', async () => {
    const agent = '/opt/flotilla/agent/agent.mjs'
    await desk.onHost('two', `echo '// of another build' >> ${agent}; /opt/flotilla/bin/flotilla-services restart agent`)
    await desk.untilHeard('two', Date.now())
    const hash = async () => (await desk.onHost('two', `sha256sum < ${agent}`)).slice(0, 64)
    const other = await hash()
    const upgraded = await desk.flotilla('node', 'upgrade', '--all', '--json')
    expect(upgraded).toMatchObject({ code: 0 })
    const done = JSON.parse(upgraded.out) as { machine: string; from: string; to: string }[]
    expect(done.map(({ machine, from, to }) => [machine, from === to])).toEqual([
      ['one', true],
      ['two', false],
    ])
    expect([done[1]?.from, done[1]?.to]).toEqual([other, await hash()])
    expect(await desk.flotilla('node', 'rollback', 'two')).toMatchObject({ code: 0 })
    expect(await hash()).toBe(other)
    expect((await desk.flotilla('node', 'rollback', 'one')).err).toContain('no earlier program to go back to')
    expect(lives(await desk.pods('app=web'))).toEqual(before)
  })

  it('gives out files and logs, and takes files', async () => {
    const file = join(desk.stateDir, '../file')
    const content = randomBytes(300_000)
    await writeFile(file, content, { mode: 0o640 })
    expect(await desk.flotilla('node', 'cp', file, 'one:/root/')).toMatchObject({ code: 0, out: '300000 bytes copied.\n' })
    expect(await desk.onHost('one', 'stat -c "%a %s" /root/file')).toBe('640 300000\n')
    expect(await desk.flotilla('node', 'cp', 'one:/root/file', `${file}.back`)).toMatchObject({ code: 0 })
    expect((await readFile(`${file}.back`)).equals(content)).toBe(true)
    expect(await desk.flotilla('node', 'cp', 'one:/no/such', file)).toMatchObject({
      code: 33,
      err: expect.stringContaining('No such file') as string,
    })
    expect((await desk.flotilla('node', 'logs', 'one', '--tail', '400')).out).toContain('the agent is up')
    expect((await desk.flotilla('node', 'logs', 'one', '--containerd')).out).toContain('containerd')
    const checks = JSON.parse((await desk.flotilla('doctor', '--json')).out) as { name: string; state: string }[]
    for (const what of ['link', 'node', 'agent', 'certificate', 'clock', 'images'])
      expect(checks).toContainEqual(expect.objectContaining({ name: `one: ${what}`, state: 'ok' }))
  })

  it('that loses power comes back as the node that it was', async () => {
    const begun = Date.now()
    await desk.powerCut('one')
    await desk.untilHeard('one', begun)
    await until('its pods run again', async () => {
      const pods = await desk.pods('app=web')
      return pods.every(({ status }) => status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'))
    })
    expect((await desk.pods('app=web')).map(({ metadata, spec }) => `${metadata.uid} on ${spec.nodeName}`).sort()).toEqual(
      before.map((line) => line.split(' ').slice(0, 3).join(' ')),
    )
  })
})

function network(): void {
  it('that swallows everything is noticed within 20 s, and back within 12 s when it carries again', async () => {
    const begun = performance.now()
    await withRule(`ip daddr ${address['one']} drop`, async () => {
      await until('the silence is noticed', async () => !(await linked('one')))
      expect(performance.now() - begun).toBeLessThan(26_000)
      await wait(60_000)
      expect(findCondition((await desk.machine('one')).status.conditions, 'Linked')).toMatchObject({ reason: 'Unreachable' })
    })
    const back = performance.now()
    await until('the link is up', () => linked('one'))
    expect(performance.now() - back).toBeLessThan(15_000)
    await desk.untilHeard('one', Date.now())
  })

  it('that loses a fifth of the packets carries the link all the same', async () => {
    const { link } = (await desk.machine('one')).status
    await withRule(`ip daddr ${address['one']} numgen random mod 100 < 20 drop`, async () => {
      await wait(60_000)
      await desk.untilHeard('one', Date.now())
    })
    expect((await desk.machine('one')).status.link?.since).toBe(link?.since)
    expect(lives(await desk.pods('app=web'))).toEqual(before)
  })
}

if (WHOLE) describe('a network', network)
