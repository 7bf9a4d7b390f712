import { type ServiceError, status } from '@grpc/grpc-js'
import { StoreError, type StoreErrorCode } from '../store.ts'

/** etcd's own words for what it refuses (etcd `api/v3rpc/rpctypes`); each begins with "etcdserver: ". */
const REFUSALS: Readonly<Record<string, StoreErrorCode>> = {
  'mvcc: required revision has been compacted': 'compacted',
  'mvcc: required revision is a future revision': 'futureRevision',
  'mvcc: database space exceeded': 'noSpace',
  'key not found': 'keyNotFound',
  'key is not provided': 'invalidRequest',
  'value is provided': 'invalidRequest',
  'lease is provided': 'invalidRequest',
  'duplicate key given in txn request': 'duplicateKey',
  'too many operations in txn request': 'invalidRequest',
  'invalid sort option': 'invalidRequest',
  'request is too large': 'invalidRequest',
  'requested lease not found': 'leaseNotFound',
  'lease already exists': 'leaseExists',
  'too large lease TTL': 'invalidRequest',
  'corrupt cluster': 'corrupt',
}

/** What these say was certainly not begun. */
const NOT_BEGUN = [/^No connection established/, /^etcdserver: (too many requests|no leader)$/]

/**
 * How a call can end badly: etcd refused it, this member could not serve it now while another or a later try may (`outage`), or it
 * was cut off by this side.
 */
export type CallFailure =
  { readonly kind: 'refused'; readonly error: StoreError } | { readonly kind: 'outage'; readonly begun: boolean; readonly why: string }

export function failureOf(error: unknown): CallFailure {
  if (error instanceof StoreError) return { kind: 'refused', error }
  if (!isServiceError(error)) throw error
  const { code, details } = error
  const refusal = REFUSALS[details.replace(/^etcdserver: /, '')]
  if (refusal) return { kind: 'refused', error: new StoreError(refusal, `etcd: ${details}`, { cause: error }) }
  const notBegun = NOT_BEGUN.some((pattern) => pattern.test(details))
  const passing = [status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.CANCELLED].includes(code)
  if (passing || notBegun) return { kind: 'outage', begun: !notBegun, why: reasonIn(details) }
  return { kind: 'refused', error: new StoreError('unavailable', `etcd: ${details || error.message}`, { cause: error }) }
}

/** Why a connection was not made, without what gRPC says around it. */
export function reasonIn(details: string): string {
  const found = /^No connection established\. Last error: (.*?)\. Resolution note:/s.exec(details)
  return (found?.[1] ?? details).replace(/ \(\d{4}-\d\d-\d\dT[^)]*\)/, '').replace(/^Error: /, '')
}

export function isServiceError(error: unknown): error is ServiceError {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error && typeof error.details === 'string'
  )
}
