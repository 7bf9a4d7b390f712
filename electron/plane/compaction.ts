import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import { type Store, StoreError } from '../store/store.ts'

/** How long past revisions stay readable, in milliseconds: as the API server of Kubernetes keeps them. */
const KEEP = 5 * 60_000
/** How often their number and size are looked at, in milliseconds. */
const LOOK = 10_000

export interface CompactionLimits {
  /** So many revisions after a compaction comes the next, however early. */
  readonly revisions: number
  /** So many bytes more in use than after a compaction, likewise. */
  readonly bytes: number
}

const LIMITS: CompactionLimits = { revisions: 200_000, bytes: 256 * 1024 * 1024 }

interface Look {
  readonly time: number
  readonly revision: number
}

/**
 * Forgets the store's history, so that it does not grow for ever: once it is 5 to 10 minutes old, and, when a great deal is written, as
 * soon as there is too much of it, but never what is younger than the look before. What clients still hold of it (continue tokens,
 * watches to resume) is answered with 410 then, and they list again.
 */
export function compactPeriodically(
  store: Pick<Store, 'status' | 'compact'>,
  clock: Clock,
  logger: Logger,
  limits: CompactionLimits = LIMITS,
): Disposable {
  let looks: readonly Look[] = []
  let compacted = clock.monotonic()
  /** The least that was in use since the last compaction. */
  let least = Number.POSITIVE_INFINITY

  const round = async () => {
    const { revision, compactRevision, dbSizeInUse } = await store.status()
    const time = clock.monotonic()
    least = Math.min(least, dbSizeInUse)
    const tooMuch = revision - compactRevision >= limits.revisions || dbSizeInUse - least >= limits.bytes
    const due = time - compacted >= KEEP ? looks.findLast((look) => time - look.time >= KEEP) : undefined
    const upTo = tooMuch ? looks.at(-1) : due
    if (due) compacted = time
    looks = [...looks.filter((look) => look.time > (upTo?.time ?? 0)), { time, revision }]
    if (!upTo || upTo.revision <= compactRevision) return
    least = Number.POSITIVE_INFINITY
    await store.compact(upTo.revision)
  }
  return clock.setInterval(
    () => {
      round().catch((error: unknown) => {
        // Another process on the same store may have been quicker.
        if (error instanceof StoreError && error.code === 'compacted') return
        logger.warn('history could not be compacted', { error })
      })
    },
    LOOK,
    { unref: true },
  )
}
