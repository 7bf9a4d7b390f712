/** What goes wrong between client and server, as Status. */
import { messageOf } from '../base/errors.ts'
import { failure, StatusError, unavailable, type Status, type StatusReason } from '../machinery/status.ts'

/** By HTTP status. */
export const REASONS: Readonly<Record<number, StatusReason>> = {
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

/** The error that a response of status 400 or more stands for: its Status, or one made up from the code. */
export function responseError(status: number, body: Uint8Array, what: string): StatusError {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
  const parsed = parseStatus(text)
  if (parsed) return new StatusError({ ...parsed, code: parsed.code || status })
  const detail = text.trim().slice(0, 200)
  return failure(status, REASONS[status] ?? 'Unknown', `${what}: the server answered ${status}${detail ? `: ${detail}` : ''}`)
}

function parseStatus(text: string): Status | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status' ? (value as Status) : null
  } catch {
    return null
  }
}

/** No answer, or the connection broke before its end. */
export function connectionError(what: string, error: unknown): StatusError {
  if (error instanceof StatusError) return error
  return failure(503, 'ServiceUnavailable', `${what}: ${messageOf(error)}`, undefined, error)
}

/** Whether the fault is the connection's and not the server's answer. */
export function isConnectionError(error: unknown): boolean {
  return error instanceof StatusError && error.code === 503 && error.cause !== undefined
}

export const noAnswer = (what: string, ms: number) => unavailable(`${what}: no answer within ${ms / 1000} s`)
