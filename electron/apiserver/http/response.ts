/** Answers as they leave, whoever gets them. */
import { StoreError } from '../../store/store.ts'
import { internal, StatusError, unavailable, type Status } from '../../machinery/status.ts'
import type { ApiResponse } from '../types.ts'

export const JSON_TYPE = 'application/json'
export const JSON_HEADERS = Object.freeze({ 'content-type': JSON_TYPE })

export function bytesResponse(status: number, body: Uint8Array, contentType: string = JSON_TYPE): ApiResponse {
  return { status, headers: contentType === JSON_TYPE ? JSON_HEADERS : { 'content-type': contentType }, body }
}

export function jsonResponse(status: number, value: unknown): ApiResponse {
  return { status, headers: JSON_HEADERS, body: Buffer.from(`${JSON.stringify(value)}\n`) }
}

export function textResponse(status: number, text: string, contentType = 'text/plain; charset=utf-8'): ApiResponse {
  const headers = { 'content-type': contentType, 'x-content-type-options': 'nosniff' }
  return { status, headers, body: Buffer.from(text) }
}

/** What upstream's mux says of a path that it does not know. */
export const pageNotFound = (): ApiResponse => textResponse(404, '404 page not found\n')

/** The router's refusals within a known group and version. */
export function genericFailure(code: 404 | 405): StatusError {
  const [reason, message] =
    code === 404
      ? (['NotFound', 'the server could not find the requested resource'] as const)
      : (['MethodNotAllowed', 'the server does not allow this method on the requested resource'] as const)
  return new StatusError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, details: {}, code })
}

/** Whatever was thrown, as what the client is told. */
export function statusOf(error: unknown): Status {
  if (error instanceof StatusError) return withoutUnknown(error.status)
  if (error instanceof StoreError) {
    if (error.code === 'unavailable' || error.code === 'closed') return unavailable(error.message).status
    return internal(error).status
  }
  return internal(error).status
}

/** Upstream's reason "Unknown" is the empty one, and is not sent. */
function withoutUnknown(status: Status): Status {
  if (status.reason !== 'Unknown') return status
  const { reason: _reason, ...rest } = status
  return rest
}

export function failureResponse(error: unknown): ApiResponse {
  const status = statusOf(error)
  const retry = status.details?.retryAfterSeconds
  const { body } = jsonResponse(status.code, status)
  return { status: status.code, headers: retry ? { ...JSON_HEADERS, 'retry-after': String(retry) } : JSON_HEADERS, body }
}
