import { isAbort } from '../../base/async.ts'
import { FlotillaError } from '../../base/errors.ts'
import type { ContractFailure } from '../../contracts/protocol.ts'
import { describeError } from '../../contracts/server.ts'
import { StatusError, type StatusReason } from '../../machinery/status.ts'

const NEXT: Partial<Record<StatusReason, string>> = {
  NotFound: 'It may have been deleted meanwhile; look at the list again.',
  AlreadyExists: 'Choose another name, or change the one that exists.',
  Conflict: 'Someone changed it meanwhile; load it again and repeat the change.',
  Invalid: 'Correct the fields that are named.',
  Forbidden: 'Ask who administers the cluster for this right.',
  ServiceUnavailable: 'It is tried again by itself.',
  Expired: 'Load it again.',
  Gone: 'Load it again.',
}

/** What the UI is told of whatever a handler threw. */
export function describeFailure(error: unknown): ContractFailure {
  if (error instanceof FlotillaError) return error.toJSON()
  if (error instanceof StatusError) {
    return { code: 'STATUS', what: 'The API server refused.', why: error.message, next: NEXT[error.reason] ?? '', status: error.status }
  }
  if (isAbort(error)) return { code: 'CANCELLED', what: 'It was cancelled.', why: '', next: '' }
  return describeError(error)
}
