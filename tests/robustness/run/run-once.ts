import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deadline, sleep, systemClock } from '../../../electron/base/clock.ts'
import { aborted } from '../../../electron/base/async.ts'
import { messageOf } from '../../../electron/base/errors.ts'
import { type Random, randomInt, seededRandom } from '../../../electron/base/random.ts'
import { check } from '../checker/check.ts'
import type { Violation } from '../checker/violation.ts'
import { History } from '../history.ts'
import { canonical } from '../model/state.ts'
import type { Schedule, WatchIntent } from '../schedule/intents.ts'
import { planRun } from '../schedule/plan.ts'
import { Client } from './client.ts'
import type { Engine } from './engines.ts'
import { Faults, Unrecovered } from './faults.ts'
import type { Server } from './server.ts'
import { WatchingClient } from './watcher.ts'

/** Nothing in a run takes nearly as long, in milliseconds. */
const PATIENCE = 120_000
/** How many past revisions are read again at the end. */
const LOOKS_BACK = 12
const EVERYTHING: WatchIntent = {
  key: '\0',
  end: '\0',
  from: 'resume',
  prevKv: true,
  filter: null,
  batches: Number.POSITIVE_INFINITY,
  markMs: 20,
}

export interface RunResult {
  readonly engine: string
  readonly seed: number
  readonly violations: readonly Violation[]
  /** Requests, and how many of them were answered. */
  readonly requests: number
  readonly answered: number
  readonly revisions: number
  readonly milliseconds: number
  /** What everybody saw, as a file; only of a run with a violation. */
  readonly file: string | null
}

/** One seeded run against one engine: traffic and faults, then a look at everything, then the judgement. */
export async function runOnce(engine: Engine, seed: number): Promise<RunResult> {
  const clock = systemClock
  const started = clock.monotonic()
  const place = mkdtempSync(join(tmpdir(), 'flotilla-robustness-'))
  const history = new History(clock)
  const schedule = planRun(seed, engine.faults)
  const violations: Violation[] = []
  let revisions = 0
  let log = ''
  try {
    await using server = await engine.open({ place, random: seededRandom(seed) })
    try {
      using timer = deadline(clock, PATIENCE)
      revisions = await Promise.race([traffic(server, history, schedule), aborted(timer.signal)])
      violations.push(...check(history, server.traits, revisions))
    } catch (error) {
      violations.push(brokenOff(error))
    }
    log = server.log
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
  const file = violations.length > 0 ? keep({ engine: engine.name, seed, violations, schedule, history, log }) : null
  return {
    engine: engine.name,
    seed,
    violations,
    requests: history.operations.length,
    answered: history.operations.filter(({ ending }) => ending === 'answered').length,
    revisions,
    milliseconds: clock.monotonic() - started,
    file,
  }
}

/** Returns the store's revision at the end. */
async function traffic(server: Server, history: History, schedule: Schedule): Promise<number> {
  const clock = systemClock
  await server.start()
  const shared = { history, server, clock }
  const everything = new WatchingClient({ ...shared, name: 'watcher of everything' })
  const watchers = schedule.watchers.map((_, i) => new WatchingClient({ ...shared, name: `watcher ${i + 1}` }))
  const seeing = everything.run([EVERYTHING])
  const watching = watchers.map((watcher, i) => watcher.run(schedule.watchers[i] ?? []))
  const compactable = () => everything.position
  const clients = schedule.clients.map((_, i) => new Client({ ...shared, name: `client ${i + 1}`, number: i + 1, compactable }))

  let ended = false
  const housekeeper = new Client({ ...shared, name: 'the housekeeper', number: 0, compactable })
  const asking = Promise.all(clients.map((client, i) => client.run(schedule.clients[i] ?? []))).then(() => (ended = true))
  const housekeeping = server.keepsHistory ? keepHouse(housekeeper, history, seededRandom(schedule.seed), () => ended) : Promise.resolve()
  const faults = new Faults({ ...shared, trafficEnded: () => ended })
  await Promise.race([Promise.all([asking, faults.run(schedule.faults)]), failing([seeing, housekeeping, ...watching])])
  await faults.calm()
  await housekeeping

  const last = new Client({ ...shared, name: 'the last', number: schedule.clients.length + 1, compactable })
  const { revision, compactRevision } = await statusBy(last)
  await lookBack(last, revision, compactRevision)
  for (const watcher of watchers) watcher.finishAt(revision)
  await Promise.all(watching)
  // Leases go on ending: who sees everything is the last to stop.
  everything.finishAt((await statusBy(last)).revision)
  await seeing
  return everything.position
}

/** Reads past states, whether they are compacted or not, and now and then looks for damage or writes the database anew. */
async function keepHouse(client: Client, history: History, random: Random, ended: () => boolean): Promise<void> {
  while (!ended()) {
    const roll = random.float()
    if (roll < 0.03) await client.ask({ type: 'defragment' })
    else if (roll < 0.06) await client.ask({ type: 'check' })
    else await client.ask({ type: 'past', request: { key: '\0', end: '\0', revision: 1 + randomInt(random, history.newest) } })
    await sleep(systemClock, randomInt(random, 20))
  }
  await client.ask({ type: 'check' })
}

async function statusBy(client: Client): Promise<{ revision: number; compactRevision: number }> {
  const { call, message } = await client.ask({ type: 'status' })
  if (call.type !== 'status' || !call.answer) throw new Unrecovered(`the store does not tell its status: ${message}`)
  return call.answer
}

/** Reads everything at several revisions, and lists the leases. */
async function lookBack(client: Client, revision: number, compactRevision: number): Promise<void> {
  const oldest = Math.max(1, compactRevision)
  const all = { key: '\0', end: '\0' }
  const step = Math.max(1, Math.floor((revision - oldest) / LOOKS_BACK))
  for (let at = oldest; at <= revision; at += step) await client.ask({ type: 'range', request: { ...all, revision: at } })
  await client.ask({ type: 'range', request: all })
  await client.ask({ type: 'leases' })
}

/** Rejects when one of them does. */
function failing(work: readonly Promise<void>[]): Promise<never> {
  return new Promise((_resolve, reject) => {
    for (const one of work) one.catch(reject)
  })
}

function brokenOff(error: unknown): Violation {
  if (error instanceof Unrecovered) return { rule: 'open', message: error.message }
  const isLate = error instanceof DOMException && error.name === 'TimeoutError'
  const message = isLate
    ? 'requests or watchers were not answered'
    : error instanceof Error
      ? (error.stack ?? error.message)
      : messageOf(error)
  return { rule: 'stuck', message }
}

function keep(run: {
  engine: string
  seed: number
  violations: readonly Violation[]
  schedule: Schedule
  history: History
  log: string
}): string {
  const { history, log, ...rest } = run
  const dir = join(tmpdir(), 'flotilla-robustness')
  mkdirSync(dir, { recursive: true })
  const file = join(dir, `${run.engine.replace(':', '-')}-${run.seed}.json`)
  const { operations, watches, faults } = history
  writeFileSync(file, JSON.stringify(JSON.parse(canonical({ ...rest, log: log.split('\n'), faults, operations, watches })), null, 1))
  return file
}
