import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import { StoreError, type Store } from '../store/store.ts'

/** How long past revisions stay readable at the least, in milliseconds: as the API server of Kubernetes keeps them. */
const KEEP = 5 * 60_000

/**
 * Forgets the store's history once it is 5 to 10 minutes old, so that it does not grow for ever. What clients still hold of it (continue
 * tokens, watches to resume) is answered with 410 then, and they list again.
 */
export function compactPeriodically(store: Store, clock: Clock, logger: Logger): Disposable {
  let before: number | null = null
  const round = async () => {
    const due = before
    const { revision, compactRevision } = await store.status()
    before = revision
    if (due === null || due <= compactRevision) return
    await store.compact(due)
  }
  return clock.setInterval(
    () => {
      round().catch((error: unknown) => {
        // Another process on the same store may have been quicker.
        if (error instanceof StoreError && error.code === 'compacted') return
        logger.warn('history could not be compacted', { error })
      })
    },
    KEEP,
    { unref: true },
  )
}
