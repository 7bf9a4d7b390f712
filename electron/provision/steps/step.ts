/** Named steps, run one after the other, each safe to run again. */
import type { MachineFailure, MachineStep } from '../../api/infra/v1alpha1/types.ts'
import { isAbort } from '../../base/async.ts'
import { deadline, type Clock } from '../../base/clock.ts'
import { FlotillaError, messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'

export interface StepTools {
  readonly signal: AbortSignal
  /** Says what the step does now or found: "copied 14 of 127 MiB". */
  readonly detail: (text: string) => void
  /** What to do if this step fails or is cancelled, newest first. It gets a signal of its own, which is not cancelled with the step. */
  readonly undo: (action: (signal: AbortSignal) => Promise<unknown>) => void
}

export interface Step {
  /** Stable, for code: "runtime". */
  readonly name: string
  /** For people: "Copy the runtime". */
  readonly title: string
  run(tools: StepTools): Promise<void>
}

export interface RunOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly signal: AbortSignal
  /** All steps as they stand, on each change. */
  onChange(steps: readonly MachineStep[]): void
}

/** How long a step may take to clear up after itself. */
const UNDO_MS = 20_000

/**
 * Runs all steps. Throws StepError with what made one fail, after that step has undone what it had half made; a signal that aborts
 * becomes CANCELLED.
 */
export async function runSteps(steps: readonly Step[], options: RunOptions): Promise<void> {
  const { clock, logger, signal } = options
  const stamp = () => new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
  const rows: MachineStep[] = steps.map(({ name, title }) => ({ name, title, state: 'waiting' }))
  const publish = () => options.onChange(rows.map((row) => ({ ...row })))
  for (const [index, step] of steps.entries()) {
    const row = rows[index] as MachineStep
    Object.assign(row, { state: 'running', startedAt: stamp() })
    publish()
    const undo: ((signal: AbortSignal) => Promise<unknown>)[] = []
    try {
      signal.throwIfAborted()
      await step.run({
        signal,
        detail(text) {
          if (row.state !== 'running' || row.detail === text) return
          row.detail = text
          publish()
        },
        undo: (action) => undo.push(action),
      })
      Object.assign(row, { state: 'done', finishedAt: stamp() })
      publish()
    } catch (error) {
      await takeBack(undo, clock, (failed) => logger.warn('a step could not clear up', { step: step.name, error: failed }))
      Object.assign(row, { state: 'failed', finishedAt: stamp() })
      publish()
      throw new StepError(step.name, coded(error, signal, step.title))
    }
  }
}

async function takeBack(
  actions: readonly ((signal: AbortSignal) => Promise<unknown>)[],
  clock: Clock,
  onError: (error: unknown) => void,
): Promise<void> {
  using limit = deadline(clock, UNDO_MS)
  for (const action of actions.toReversed()) {
    try {
      await action(limit.signal)
    } catch (error) {
      onError(error)
    }
  }
}

function coded(error: unknown, signal: AbortSignal, title: string): FlotillaError {
  if (signal.aborted && (isAbort(error) || error === signal.reason)) {
    if (signal.reason instanceof FlotillaError) return signal.reason
    return new FlotillaError('CANCELLED', {
      what: `"${title}" was cancelled.`,
      why: 'It was stopped on request.',
      next: 'Go on with Retry.',
    })
  }
  if (error instanceof FlotillaError) return error
  return new FlotillaError('INTERNAL', {
    what: `"${title}" failed.`,
    why: `${messageOf(error)}.`,
    next: 'This is a defect; the log has the details. Retry may help.',
    cause: error,
  })
}

export class StepError extends Error {
  override readonly name = 'StepError'
  readonly step: string
  override readonly cause: FlotillaError

  constructor(step: string, cause: FlotillaError) {
    super(`${step}: ${cause.message}`, { cause })
    this.step = step
    this.cause = cause
  }

  /** As it stands in a Machine's status. */
  get failure(): MachineFailure {
    return { step: this.step, ...this.cause.toJSON() }
  }
}
