import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { builtApp } from '../../tests/shell/built-app.ts'
import { lessIsBetter, type Measure } from '../measure.ts'
import { delayDuring, launchDesktop } from './desktop.ts'
import { fill } from './fill.ts'
import { serve } from './headless.ts'

const ROUNDS = 5
const OBJECTS = 10_000
const BURST = 2000

/**
 * How soon Flotilla is there, from the start of its process on built bundles: the API server of `flotilla serve`, and the window of the
 * desktop app with what the plane says in it. Medians; each first round, which has no cache of compiled code yet, stands by itself.
 */
export async function* run(): AsyncIterable<Measure> {
  await using app = await builtApp()
  const dir = await mkdtemp(join(tmpdir(), 'bench-start-'))
  try {
    const fresh = await rounds((i) => answering(app.flotilla, join(dir, `fresh-${i}`)))
    yield* told('API answering, new cluster', fresh, 1000)
    yield* told('API answering, started again', await rounds(() => answering(app.flotilla, join(dir, 'fresh-0'))), 1000)

    const full = join(dir, 'full/state')
    {
      await using served = await serve(app.flotilla, full)
      await fill(served.kubeconfig, OBJECTS)
    }
    yield* told(`API answering with ${OBJECTS} objects`, await rounds(() => answering(app.flotilla, full)), 2000)

    const note = 'aim 1500; on the stand-in, the start of Chromium included'
    const windows = await rounds((i) => window(app.dir, join(dir, `window-${i}`), false))
    yield lessIsBetter('first paint, new cluster', 'ms', median(windows.map((w) => w.paint)), null, 'on the stand-in')
    yield lessIsBetter('first paint with live data, new cluster', 'ms', median(windows.map((w) => w.live)), null, note)
    const more = await rounds(() => window(app.dir, join(dir, 'full'), true))
    yield lessIsBetter(`first paint with live data of ${OBJECTS} objects`, 'ms', median(more.map((w) => w.live)), null, note)

    await cp(full, join(dir, 'busy/state'), { recursive: true })
    await using busy = await launchDesktop(app.dir, join(dir, 'busy'), true)
    const delay = await delayDuring(busy.app, () => fill(join(dir, 'busy/state/kubeconfig'), BURST, 'burst'))
    const what = `while ${BURST} objects are made; largest ${delay.max.toFixed(1)}`
    yield lessIsBetter('delay of the main thread’s event loop, p99', 'ms', delay.p99, null, `aim 20; ${what}`)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

async function answering(flotilla: string, stateDir: string): Promise<Answering> {
  await using served = await serve(flotilla, stateDir)
  return { wall: served.answering, cpu: served.cpu }
}

async function window(app: string, home: string, filled: boolean): Promise<{ live: number; paint: number }> {
  await using launched = await launchDesktop(app, home, filled)
  return { live: launched.live, paint: launched.paint }
}

async function rounds<T>(once: (i: number) => Promise<T>): Promise<T[]> {
  const found: T[] = []
  for (let i = 0; i < ROUNDS; i++) found.push(await once(i))
  return found
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

interface Answering {
  readonly wall: number
  readonly cpu: number
}

function* told(name: string, found: readonly Answering[], aim: number): Iterable<Measure> {
  const walls = found.map(({ wall }) => wall)
  const note = `aim ${aim}; of ${walls.map((value) => Math.round(value)).join(', ')}`
  yield lessIsBetter(name, 'ms', median(walls), null, note)
  yield lessIsBetter(`${name}: processor time`, 'ms', median(found.map(({ cpu }) => cpu)), null, 'all threads, until then')
}
