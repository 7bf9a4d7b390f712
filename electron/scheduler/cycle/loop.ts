/** Takes pods from the queue, one after the other, until the scheduler is stopped. */
import type { BindingCycles } from './binding-cycle.ts'
import { consult } from './consult.ts'
import type { SchedulerCore } from './core.ts'
import { NodeSearch } from './node-search.ts'
import { schedulePod } from './scheduling-cycle.ts'

/** So long, in milliseconds, pods are scheduled before others in this thread have their turn. */
const SLICE = 5

export async function runLoop(core: SchedulerCore, bindings: BindingCycles, onDecision?: (duration: number) => void): Promise<void> {
  const { clock, queue, signal, logger } = core
  const search = new NodeSearch()
  let since = clock.monotonic()
  while (!signal.aborted) {
    await core.calls.room()
    const queued = queue.pop()
    if (!queued) {
      await queue.ready()
      since = clock.monotonic()
      continue
    }
    try {
      const advice = core.extenders.length > 0 ? await consult(core, search, queued) : null
      if (signal.aborted) return
      const began = onDecision ? clock.monotonic() : 0
      const reservation = schedulePod(core, search, queued, advice)
      onDecision?.(clock.monotonic() - began)
      if (reservation) bindings.begin(reservation)
    } catch (error) {
      // A broken invariant must not end the loop for all other pods.
      logger.error('a scheduling cycle broke off', { pod: queued.info.key, error })
      core.cache.forget(queued.uid)
      queue.fail(queued, queued.info.pod, new Set(), new Set())
    }
    if (clock.monotonic() - since < SLICE) continue
    await new Promise<void>((resolve) => setImmediate(resolve))
    since = clock.monotonic()
  }
}
