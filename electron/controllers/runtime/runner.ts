/** Runs one controller: its queue, its workers, and what becomes of a key that was worked on. */
import type { Clock } from '../../base/clock.ts'
import { isAbort } from '../../base/async.ts'
import { nextTurn } from '../../base/next-turn.ts'
import { component, type Component } from '../../base/lifecycle.ts'
import type { Logger } from '../../base/logger.ts'
import type { Random } from '../../base/random.ts'
import type { Client } from '../../client/client.ts'
import { createEventRecorder } from '../../client/event-recorder.ts'
import type { Informers } from '../../client/informer.ts'
import { hasReason } from '../../machinery/status.ts'
import { WorkQueue } from '../../machinery/work-queue.ts'
import { abortableClient } from './abortable-client.ts'
import { TerminalError, type Controller, type ControllerDescriptor, type Outcome } from './controller.ts'
import type { ControllerOptions } from './options.ts'

export interface RunnerDeps {
  readonly client: Client
  readonly informers: Informers
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly options: ControllerOptions
}

const WORKERS = 5
/** How long keys may be worked on before others get their turn, in milliseconds: one that needs no write waits for nothing. */
const TURN = 20

/** Its informers are there as soon as this returns; `start` expects them to have been read. Null: the controller does not run. */
export function createRunner(descriptor: ControllerDescriptor, deps: RunnerDeps): Component | null {
  const { clock } = deps
  const { name, component: source = name, workers = WORKERS } = descriptor
  const logger = deps.logger.child({ controller: name })
  const stopping = new AbortController()
  const client = abortableClient(deps.client, stopping.signal)
  const queue = new WorkQueue<string>({ clock })
  const events = createEventRecorder({ client, component: source, clock, logger })
  const controller = descriptor.create({ ...deps, client, logger, events, queue, signal: stopping.signal })
  if (!controller) return null

  const work = async () => {
    let since = clock.monotonic()
    for (;;) {
      if (clock.monotonic() - since > TURN) {
        await nextTurn()
        since = clock.monotonic()
      }
      const key = await queue.get()
      if (key === undefined) return
      try {
        decide(queue, key, await attempt(controller, key), logger)
      } finally {
        queue.done(key)
      }
    }
  }

  return component(async (stack) => {
    stack.use(events)
    const running: Promise<void>[] = []
    stack.defer(async () => {
      stopping.abort(new DOMException(`the ${name} is stopped`, 'AbortError'))
      queue.close()
      await Promise.all(running)
    })
    controller.start?.(stack)
    for (const watch of controller.watches) stack.use(watch.begin((key) => queue.add(key)))
    for (let i = 0; i < workers; i++) running.push(work())
  })
}

type Attempt = { readonly type: 'done'; readonly outcome: Outcome } | { readonly type: 'failed'; readonly error: unknown }

async function attempt(controller: Controller, key: string): Promise<Attempt> {
  try {
    return { type: 'done', outcome: await controller.reconcile(key) }
  } catch (error) {
    return { type: 'failed', error }
  }
}

type Verdict = 'done' | 'later' | 'stopped' | 'hopeless' | 'race' | 'fault'

function verdictOf(attempted: Attempt): Verdict {
  if (attempted.type === 'done') return attempted.outcome ? 'later' : 'done'
  const { error } = attempted
  if (isAbort(error)) return 'stopped'
  if (error instanceof TerminalError) return 'hopeless'
  return hasReason(error, 'Conflict', 'NotFound', 'AlreadyExists') ? 'race' : 'fault'
}

/** The one place that says whether a key is forgotten, delayed or tried again. */
function decide(queue: WorkQueue<string>, key: string, attempted: Attempt, logger: Logger): void {
  const error = attempted.type === 'failed' ? attempted.error : undefined
  switch (verdictOf(attempted)) {
    case 'done':
    case 'stopped':
      return queue.forget(key)
    case 'later':
      queue.forget(key)
      return queue.addAfter(key, attempted.type === 'done' ? (attempted.outcome?.requeueAfter ?? 0) : 0)
    case 'hopeless':
      logger.error('reconciling is given up until something changes', { key, error })
      return queue.forget(key)
    case 'race':
      logger.debug('reconciling met a newer state', { key, error })
      return queue.addRateLimited(key)
    case 'fault':
      logger.warn('reconciling failed', { key, retries: queue.retries(key), error })
      return queue.addRateLimited(key)
  }
}
