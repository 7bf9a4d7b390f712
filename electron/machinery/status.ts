/**
 * Kubernetes' Status: the only error that crosses a component. Code branches on `reason`, never on the message.
 * Source: apimachinery `meta/v1.Status` and `api/errors`.
 */
import type { FieldError } from '../api/values/field-error.ts'

export type StatusReason =
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Gone'
  | 'Invalid'
  | 'ServerTimeout'
  | 'Timeout'
  | 'TooManyRequests'
  | 'BadRequest'
  | 'MethodNotAllowed'
  | 'NotAcceptable'
  | 'RequestEntityTooLarge'
  | 'UnsupportedMediaType'
  | 'InternalError'
  | 'Expired'
  | 'ServiceUnavailable'
  | 'Unknown'

export interface StatusCause {
  reason?: string
  message?: string
  field?: string
}

export interface StatusDetails {
  name?: string
  group?: string
  kind?: string
  uid?: string
  causes?: StatusCause[]
  retryAfterSeconds?: number
}

export interface Status {
  kind: 'Status'
  apiVersion: 'v1'
  metadata: Record<string, never> | { continue?: string; resourceVersion?: string }
  status: 'Success' | 'Failure'
  message?: string
  reason?: StatusReason
  details?: StatusDetails
  code: number
}

/** What the code says where there is no reason: a webhook's refusal need not have one. */
const REASON_OF_CODE: Readonly<Record<number, StatusReason>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

export class StatusError extends Error {
  override readonly name = 'StatusError'
  readonly status: Status

  constructor(status: Status, options?: { cause?: unknown }) {
    super(status.message ?? status.reason ?? 'unknown', options)
    this.status = status
  }

  get reason(): StatusReason {
    return this.status.reason || (REASON_OF_CODE[this.status.code] ?? 'Unknown')
  }

  get code(): number {
    return this.status.code
  }
}

/** What a resource is called in messages: its group and plural (or kind, for Invalid). */
export interface Qualified {
  group: string
  resource: string
}

const qualified = (q: Qualified) => (q.group ? `${q.resource}.${q.group}` : q.resource)

export function failure(code: number, reason: StatusReason, message: string, details?: StatusDetails, cause?: unknown): StatusError {
  const status: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code }
  if (details) status.details = details
  return new StatusError(status, cause === undefined ? undefined : { cause })
}

const named = (q: Qualified, name: string): StatusDetails => ({
  ...(name ? { name } : {}),
  ...(q.group ? { group: q.group } : {}),
  kind: q.resource,
})

export const notFound = (q: Qualified, name: string) => failure(404, 'NotFound', `${qualified(q)} "${name}" not found`, named(q, name))

export const alreadyExists = (q: Qualified, name: string) =>
  failure(409, 'AlreadyExists', `${qualified(q)} "${name}" already exists`, named(q, name))

export const conflict = (q: Qualified, name: string, why: string) =>
  failure(409, 'Conflict', `Operation cannot be fulfilled on ${qualified(q)} "${name}": ${why}`, named(q, name))

export const OPTIMISTIC_LOCK = 'the object has been modified; please apply your changes to the latest version and try again'

/** `kind` is the kind's name here ("Deployment"), as upstream. */
export function invalidObject(kind: { group: string; kind: string }, name: string, errors: readonly FieldError[]): StatusError {
  const lines = errors.map((e) => `${e.field}: ${e.message}`)
  const all = lines.length === 1 ? lines[0] : `[${[...new Set(lines)].join(', ')}]`
  const title = kind.group ? `${kind.kind}.${kind.group}` : kind.kind
  const causes = errors.map((e) => ({ reason: e.type, message: e.message, field: e.field }))
  return failure(422, 'Invalid', `${title} "${name}" is invalid: ${all}`, {
    ...named({ group: kind.group, resource: kind.kind }, name),
    causes,
  })
}

export const badRequest = (message: string, cause?: unknown) => failure(400, 'BadRequest', message, undefined, cause)
export const unauthorized = (message = 'Unauthorized') => failure(401, 'Unauthorized', message)
export const forbidden = (q: Qualified, name: string, why: string) =>
  failure(
    403,
    'Forbidden',
    name ? `${qualified(q)} "${name}" is forbidden: ${why}` : `${qualified(q)} is forbidden: ${why}`,
    named(q, name),
  )
export const methodNotSupported = (q: Qualified, verb: string) =>
  failure(405, 'MethodNotAllowed', `${verb} is not supported on resources of kind "${qualified(q)}"`, {
    ...(q.group ? { group: q.group } : {}),
    kind: q.resource,
  })
/** A resourceVersion or continue token too old to serve: 410. */
export const expired = (message: string) => failure(410, 'Expired', message)
export const internal = (error: unknown) => {
  const message = error instanceof Error ? error.message : String(error)
  return failure(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] }, error)
}
export const unavailable = (message: string, retryAfterSeconds?: number) =>
  failure(503, 'ServiceUnavailable', message, retryAfterSeconds === undefined ? undefined : { retryAfterSeconds })
export const timedOut = (message: string) => failure(504, 'Timeout', `Timeout: ${message}`)

/** Whatever was thrown, as a StatusError: unknown faults become 500. */
export function toStatusError(error: unknown): StatusError {
  return error instanceof StatusError ? error : internal(error)
}

export function hasReason(error: unknown, ...reasons: StatusReason[]): boolean {
  return error instanceof StatusError && reasons.includes(error.reason)
}
