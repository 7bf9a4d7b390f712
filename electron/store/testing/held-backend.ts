import { type Deferred, deferred } from '../../base/async.ts'
import type { Backend, Proposal } from '../mvcc/backend.ts'
import { NO_VALUE, type ReadValue } from '../mvcc/version.ts'

export interface HeldBatch {
  readonly proposals: readonly Proposal[]
  readonly answer: Deferred<void>
}

/** A backend whose batches become durable, or fail, when the test says so. */
export function heldBackend(options: { depth: number; read?: ReadValue }): Backend & { readonly batches: HeldBatch[] } {
  const batches: HeldBatch[] = []
  return {
    engine: 'memory',
    depth: options.depth,
    batches,
    commit(proposals) {
      const answer = deferred<void>()
      batches.push({ proposals, answer })
      return answer.promise
    },
    read: options.read ?? (({ value }) => value ?? NO_VALUE),
    refusal: () => null,
    reading: (work) => work(),
    settled() {},
    drop() {},
    stats: () => ({ dbSize: 0, dbSizeInUse: 0, alarms: [] }),
    close: () => Promise.resolve(),
  }
}
