/**
 * From "Add" to Ready: hosts that answer SSH on this machine, have containerd and know nothing of Flotilla, added to a running
 * plane. One alone, then `HOSTS` (10) at the same time. What is sent to a host is counted on its link.
 */
import { systemClock } from '../../electron/base/clock.ts'
import type { Machine } from '../../electron/api/infra/v1alpha1/types.ts'
import type { Caller } from '../../electron/contracts/caller.ts'
import type { Channels } from '../../electron/contracts/channels.ts'
import { connectRunning } from '../../electron/headless/session.ts'
import { Desk } from '../../tests/laptop/desk.ts'
import { lessIsBetter, type Measure } from '../measure.ts'

const HOSTS = Number(process.env['HOSTS'] ?? 10)
const MACHINES = { group: 'infra.flotilla.dev', version: 'v1alpha1', resource: 'machines' }
const MIB = 1 << 20

export async function* run(): AsyncIterable<Measure> {
  await using desk = await Desk.create({ withRuntime: false })
  await desk.open()
  using caller = await connectRunning(desk.stateDir)
  const first = await add(desk, caller, 'alone')
  yield lessIsBetter('one host, from click to Ready', 's', first.seconds, null, `aim 10; ${first.steps}`)
  yield lessIsBetter('bytes sent to it', 'MiB', first.sent / MIB, null)
  const cpu = process.cpuUsage()
  const begun = systemClock.monotonic()
  const all = await Promise.all(Array.from({ length: HOSTS }, (_, i) => add(desk, caller, `many-${i}`)))
  const seconds = (systemClock.monotonic() - begun) / 1000
  const slowest = all.reduce((a, b) => (a.seconds > b.seconds ? a : b))
  const used = process.cpuUsage(cpu)
  const note = `aim 30 for ten; the slowest: ${slowest.steps}; this process used ${((used.user + used.system) / 1e6).toFixed(1)} s of CPU`
  yield lessIsBetter(`${HOSTS} hosts at once, from click to the last Ready`, 's', seconds, null, note)
  yield lessIsBetter('bytes sent to each', 'MiB', all.reduce((sum, { sent }) => sum + sent, 0) / HOSTS / MIB, null)
}

interface Added {
  readonly seconds: number
  readonly sent: number
  /** "runtime 2.1, start 1.0 …", in seconds. */
  readonly steps: string
}

async function add(desk: Desk, caller: Caller<Channels>, name: string): Promise<Added> {
  const { address, hostKey } = await desk.makeHost(name)
  const before = await desk.bytesTo(name)
  const begun = systemClock.monotonic()
  const following = follow(caller, name, begun)
  const credentials = { keyFile: desk.keyFile }
  await caller.call('machines.add', { name, host: address, port: 22, user: 'root', hostKey, credentials })
  const steps = await following
  return { seconds: (systemClock.monotonic() - begun) / 1000, sent: (await desk.bytesTo(name)) - before, steps }
}

/** Resolves when it is Ready, with how long each step took, as it was seen from here. */
async function follow(caller: Caller<Channels>, name: string, begun: number): Promise<string> {
  const stop = new AbortController()
  const live = caller.open('kube.live', { ...MACHINES, fieldSelector: `metadata.name=${name}` }, { signal: stop.signal })
  const ended = new Map<string, number>()
  try {
    for await (const { value } of live) {
      if (value.type === 'stale') continue
      for (const machine of (value.type === 'reset' ? value.items : value.upserts) as unknown as Machine[]) {
        const { phase, failure, steps = [] } = machine.status
        const now = systemClock.monotonic()
        for (const step of steps) if (step.state === 'done' && !ended.has(step.name)) ended.set(step.name, now)
        if (phase === 'Failed' && failure) throw new Error(`${name}: ${failure.what} ${failure.why}`)
        if (phase === 'Ready') return timesOf(ended, begun)
      }
    }
    throw new Error(`${name} was not seen`)
  } finally {
    stop.abort()
  }
}

function timesOf(ended: ReadonlyMap<string, number>, begun: number): string {
  let before = begun
  const times: string[] = []
  for (const [step, at] of ended) {
    times.push(`${step} ${((at - before) / 1000).toFixed(1)}`)
    before = at
  }
  return times.join(', ')
}
