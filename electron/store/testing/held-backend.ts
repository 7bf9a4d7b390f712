import { type Deferred, deferred } from '../../base/async.ts'
import { createMemoryBackend } from '../memory/memory-store.ts'
import type { Backend, Proposal } from '../mvcc/backend.ts'
import type { ReadValue } from '../mvcc/version.ts'

export interface HeldBatch {
  readonly proposals: readonly Proposal[]
  readonly answer: Deferred<void>
}

/** A backend whose batches become durable, or fail, when the test says so. */
export function heldBackend(options: { depth: number; read?: ReadValue }): Backend & { readonly batches: HeldBatch[] } {
  const batches: HeldBatch[] = []
  return {
    ...createMemoryBackend(),
    depth: options.depth,
    batches,
    commit(proposals) {
      const answer = deferred<void>()
      batches.push({ proposals, answer })
      return answer.promise
    },
    ...(options.read ? { read: options.read } : {}),
  }
}
