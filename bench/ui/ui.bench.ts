/**
 * The UI in a real Chromium over a whole plane: 50,000 pods, 200 of which change each second, while somebody scrolls through the list
 * and types in its filter.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { setTimeout as wait } from 'node:timers/promises'
import { chromium, type Page } from 'playwright-core'
import { systemClock } from '../../electron/base/clock.ts'
import { readKubeconfig } from '../../electron/client/kubeconfig.ts'
import { createRemoteClient, type RemoteClient } from '../../electron/client/remote-client.ts'
import { pod } from '../../electron/api/core/v1/pod.ts'
import { buildUi } from '../../tests/ui/fake/app.ts'
import { lessIsBetter, type Measure } from '../measure.ts'
import { framesDuring, type Frames } from './frames.ts'
import { seed, type PodName } from './objects.ts'

const RELAY = fileURLToPath(new URL('./relay.ts', import.meta.url))
const PODS = Number(process.env['BENCH_PODS'] ?? 50_000)
const UPDATES_A_SECOND = 200
const SECONDS = 10
const PATIENCE_MS = 300_000

interface Load {
  readonly p99: number
  readonly max: number
  readonly cpuSeconds: number
}

export async function* run(): AsyncIterable<Measure> {
  const dir = await mkdtemp(join(tmpdir(), 'flotilla-bench-ui-'))
  try {
    const [names, rendererDir] = await Promise.all([seed(dir, PODS), buildUi()])
    await using relay = await startRelay(dir, rendererDir)
    await using browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
    const { server, ca = '', identity } = await readKubeconfig(relay.kubeconfig)
    await using client = createRemoteClient({ server, ca, identity: () => identity, clock: systemClock })
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
    page.setDefaultTimeout(PATIENCE_MS)
    await page.goto(relay.ui)
    const opened = systemClock.monotonic()
    await page.evaluate('location.hash = "#/pods"')
    await untilAll(page)
    yield lessIsBetter('pods page after a fresh start of the plane', 'ms', systemClock.monotonic() - opened, null)

    using updates = keepChanging(client, names)
    await relay.load()
    const scrolled = await framesDuring(page, () => scroll(page))
    const typed = await framesDuring(page, () => type(page))
    const load = await relay.load()
    yield* of('scroll', scrolled)
    yield* of('type', typed)
    yield lessIsBetter('renderer heap', 'MB', Math.max(scrolled.heap, typed.heap) / 2 ** 20, null)
    const note = `${updates.made()} changes made; main thread only relays`
    yield lessIsBetter('main thread event-loop delay p99', 'ms', load.p99, null, note)
    yield lessIsBetter('CPU of plane and relay', 'cores', load.cpuSeconds / (2 * SECONDS), null, 'API, controllers and index together')
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** Until the list says that all pods are there. The page's policy forbids what Playwright's own waiting for a function does. */
async function untilAll(page: Page): Promise<void> {
  const end = systemClock.monotonic() + PATIENCE_MS
  while (systemClock.monotonic() < end) {
    const text = await page.evaluate<string>('document.body.innerText')
    if (text.replaceAll(/(\d)\D(?=\d{3}\b)/g, '$1').includes(`of ${PODS}`)) return
    await wait(100)
  }
  throw new Error('the list does not show all pods')
}

function* of(what: string, { interval, work, longest, frames }: Frames): Iterable<Measure> {
  yield lessIsBetter(`${what}: frame interval p95`, 'ms', interval, null, `${frames} frames`)
  yield lessIsBetter(`${what}: work in a frame p95`, 'ms', work, null)
  yield lessIsBetter(`${what}: longest task`, 'ms', longest, null, 'tasks under 50 ms count as 0')
}

/** Down through the list as by a wheel that does not stop. */
const scroll = (page: Page) =>
  page.evaluate(`new Promise((done) => {
    const grid = document.querySelector('[role="grid"]')
    const end = performance.now() + ${SECONDS * 1000}
    const step = () => {
      grid.scrollTop += 60
      if (performance.now() < end) requestAnimationFrame(step)
      else done()
    }
    requestAnimationFrame(step)
  })`)

async function type(page: Page): Promise<void> {
  const end = systemClock.monotonic() + SECONDS * 1000
  const box = page.getByRole('searchbox')
  while (systemClock.monotonic() < end) {
    await box.fill('')
    await box.pressSequentially('service-4 node-1', { delay: 120 })
  }
  await box.fill('')
}

/** Changes pods at random places, evenly over time, until disposed. */
function keepChanging(client: RemoteClient, names: readonly PodName[]): { made(): number } & Disposable {
  let stopped = false
  let made = 0
  const began = systemClock.monotonic()
  const work = async () => {
    for (let next = 0; !stopped; next++) {
      const due = Math.floor(((systemClock.monotonic() - began) / 1000) * UPDATES_A_SECOND)
      const batch: Promise<unknown>[] = []
      for (; made < due && batch.length < 20; made++) {
        const at = names[(made * 7919 + next) % names.length]
        if (at) batch.push(change(client, at, made))
      }
      await Promise.all(batch)
      await wait(5)
    }
  }
  work().catch(() => (stopped = true))
  return {
    made: () => made,
    [Symbol.dispose]: () => void (stopped = true),
  }
}

async function change(client: RemoteClient, at: PodName, n: number): Promise<void> {
  const finishedAt = new Date(Math.floor(systemClock.now() / 1000) * 1000).toISOString()
  const status = {
    ...{ name: 'main', ready: n % 3 !== 0, restartCount: n % 50, image: 'registry.example/team/service:1.2.3', imageID: 'sha256:0' },
    state: { running: { startedAt: finishedAt } },
    lastState: { terminated: { exitCode: 1, reason: 'Error', finishedAt } },
  }
  await client.patch(pod, at, { type: 'merge', body: { status: { containerStatuses: [status] } } }, { subresource: 'status' })
}

async function startRelay(dir: string, rendererDir: string) {
  const child = spawn(process.execPath, [RELAY, dir, rendererDir], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const read = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error('the relay has ended')
    return JSON.parse(value) as unknown
  }
  const places = (await read()) as { ui: string; kubeconfig: string }
  return {
    ...places,
    async load(): Promise<Load> {
      child.stdin.write('load\n')
      return (await read()) as Load
    },
    async [Symbol.asyncDispose]() {
      child.stdin.write('stop\n')
      await exited
    },
  }
}
