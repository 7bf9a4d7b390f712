/** Whatever was thrown, in the three parts that a person is told. */
import { ContractError, type ContractFailure } from '../../../electron/contracts/protocol.ts'
import { messageOf } from '../../../electron/base/errors.ts'
import { isAbort } from '../../../electron/base/async.ts'
import { t } from '../i18n/index.ts'

/** The part of a Kubernetes Status that the UI reads. */
export interface StatusView {
  readonly kind?: string
  readonly code?: number
  readonly reason?: string
  readonly message?: string
  readonly details?: {
    readonly name?: string
    readonly group?: string
    readonly kind?: string
    readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[]
    readonly retryAfterSeconds?: number
  }
}

export interface Failure {
  readonly code: string
  readonly what: string
  readonly why: string
  readonly next: string
  readonly status?: StatusView
}

/** A failure that this end makes. */
export class FaceFailure extends ContractError {}

export const LOST: ContractFailure = {
  code: 'PLANE_UNREACHABLE',
  get what() {
    return t('failure.lost.what')
  },
  get why() {
    return t('failure.lost.why')
  },
  get next() {
    return t('failure.lost.next')
  },
}

const isStatus = (body: unknown): body is StatusView =>
  typeof body === 'object' && body !== null && 'kind' in body && body.kind === 'Status'

/** An answer of the API server that is no success. */
export class StatusFailure extends Error {
  override readonly name = 'StatusFailure'
  readonly status: StatusView
  readonly httpStatus: number

  constructor(httpStatus: number, body: unknown) {
    const status = isStatus(body) ? body : { code: httpStatus, message: typeof body === 'string' ? body : '' }
    super(status.message || `HTTP ${httpStatus}`)
    this.status = status
    this.httpStatus = httpStatus
  }
}

export function reasonOf(error: unknown): string {
  if (error instanceof StatusFailure) return error.status.reason ?? ''
  if (error instanceof ContractError) return (error.failure.status as StatusView | undefined)?.reason ?? ''
  return ''
}

export const isNotFound = (error: unknown): boolean => reasonOf(error) === 'NotFound'
export const isConflict = (error: unknown): boolean => reasonOf(error) === 'Conflict'

/** True where the connection, not the request, is what failed: it mends by itself. */
export function isLost(error: unknown): boolean {
  return error instanceof ContractError && error.failure.code === 'PLANE_UNREACHABLE'
}

/** `what` names what was tried, where the failure itself only says why. Null for what the person called off. */
export function failureOf(error: unknown, what: string): Failure | null {
  if (isAbort(error)) return null
  if (error instanceof ContractError) {
    const { code, why, next, status } = error.failure
    if (code === 'CANCELLED') return null
    if (code === 'STATUS') return statusFailure(status as StatusView, what, next)
    return { code, what: error.failure.what || what, why, next }
  }
  if (error instanceof StatusFailure) return statusFailure(error.status, what, '')
  return { code: 'INTERNAL', what, why: messageOf(error), next: '' }
}

function statusFailure(status: StatusView, what: string, next: string): Failure {
  return { code: 'STATUS', what, why: status.message ?? '', next: next || adviceFor(status), status }
}

function adviceFor(status: StatusView): string {
  switch (status.reason) {
    case 'NotFound':
      return t('failure.status.notFound')
    case 'AlreadyExists':
      return t('failure.status.alreadyExists')
    case 'Conflict':
      return t('failure.status.conflict')
    case 'Invalid':
      return t('failure.status.invalid')
    case 'BadRequest':
      return t('failure.status.badRequest')
    case 'Forbidden':
      return t('failure.status.forbidden')
    case 'TooManyRequests':
    case 'ServiceUnavailable':
    case 'Timeout':
      return t('failure.status.later')
    default:
      return ''
  }
}
