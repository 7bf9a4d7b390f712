import { describe, expect, it } from 'vitest'
import type { MachineStep } from '../../api/infra/v1alpha1/types.ts'
import { sleep } from '../../base/clock.ts'
import { FlotillaError } from '../../base/errors.ts'
import { FakeClock, settle } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/logger.ts'
import { runSteps, StepError, type Step } from './step.ts'

function harness() {
  const clock = new FakeClock()
  const abort = new AbortController()
  const seen: MachineStep[][] = []
  const run = (...steps: Step[]) =>
    runSteps(steps, { clock, logger: silentLogger, signal: abort.signal, onChange: (rows) => seen.push([...rows]) })
  return { clock, abort, seen, run, last: () => seen.at(-1) }
}
const step = (name: string, run: Step['run']): Step => ({ name, title: name.toUpperCase(), run })
const full = new FlotillaError('DISK_FULL', { what: 'No.', why: 'Full.', next: 'Free.' })

describe('runSteps', () => {
  it('runs steps in order and shows each as it goes, with times and details', async () => {
    const { clock, seen, run, last } = harness()
    const work = run(
      step('a', async ({ detail }) => {
        detail('half')
        await sleep(clock, 1500)
        detail('all')
      }),
      step('b', async () => undefined),
    )
    await settle()
    expect(last()).toEqual([
      { name: 'a', title: 'A', state: 'running', startedAt: '2026-01-01T00:00:00Z', detail: 'half' },
      { name: 'b', title: 'B', state: 'waiting' },
    ])
    await clock.advance(2000)
    await work
    expect(last()).toMatchObject([
      { state: 'done', finishedAt: '2026-01-01T00:00:01Z', detail: 'all' },
      { state: 'done', startedAt: '2026-01-01T00:00:01Z' },
    ])
    // What was shown is not changed behind the back of who keeps it.
    expect(seen[0]?.[0]).toMatchObject({ state: 'running' })
  })

  it('undoes the failed step only, newest first, and says which it was', async () => {
    const { run, last } = harness()
    const undone: string[] = []
    const failing = run(
      step('a', async ({ undo }) => undo(async () => undone.push('a'))),
      step('b', async ({ undo }) => {
        undo(async () => undone.push('b1'))
        undo(async () => {
          throw new Error('cannot')
        })
        undo(async () => undone.push('b3'))
        throw full
      }),
      step('c', async () => undone.push('c') as never),
    )
    const error = await failing.catch((thrown: unknown) => thrown as StepError)
    expect(error).toBeInstanceOf(StepError)
    expect((error as StepError).failure).toEqual({ step: 'b', code: 'DISK_FULL', what: 'No.', why: 'Full.', next: 'Free.' })
    expect(undone).toEqual(['b3', 'b1'])
    expect(last()?.map(({ state }) => state)).toEqual(['done', 'failed', 'waiting'])
  })

  it('turns a cancelled signal into CANCELLED, and clears up with a signal that is not cancelled', async () => {
    const { abort, clock, run } = harness()
    let undoSignal: AbortSignal | null = null
    const work = run(
      step('a', async ({ signal, undo }) => {
        undo(async (own) => {
          undoSignal = own
        })
        await sleep(clock, 1000, signal)
      }),
    )
    await settle()
    abort.abort(new DOMException('stop', 'AbortError'))
    await expect(work).rejects.toMatchObject({ step: 'a', cause: { code: 'CANCELLED' } })
    expect(undoSignal).toMatchObject({ aborted: false })
  })

  it('does not begin a step after it was cancelled', async () => {
    const { abort, run } = harness()
    let began = false
    const work = run(
      step('a', async () => abort.abort()),
      step('b', async () => {
        began = true
      }),
    )
    await expect(work).rejects.toMatchObject({ step: 'b', cause: { code: 'CANCELLED' } })
    expect(began).toBe(false)
  })

  it('calls what it does not know a defect, and keeps its cause', async () => {
    const { run } = harness()
    const odd = new TypeError('x is not a function')
    await expect(run(step('a', () => Promise.reject(odd)))).rejects.toMatchObject({ cause: { code: 'INTERNAL', cause: odd } })
  })

  it('gives up clearing up after a while', async () => {
    const { clock, run } = harness()
    const work = run(
      step('a', async ({ undo }) => {
        undo((signal) => sleep(clock, 1_000_000, signal))
        throw full
      }),
    )
    const failed = expect(work).rejects.toMatchObject({ cause: { code: 'DISK_FULL' } })
    await settle()
    await clock.advance(20_000)
    await failed
  })
})
