/** Whether an answer is one that an API server gives: errors are Statuses, and faults of its own are Kubernetes' faults too. */
import type { Answer, FuzzRequest } from '../transport/connection.ts'
import { isKnownFault } from './faults.ts'

export interface Violation {
  /** Short and constant, so that two can be told to be the same. */
  readonly rule: string
  readonly message: string
}

/** Source: apimachinery `meta/v1.StatusReason`. */
const CODES: Readonly<Record<string, readonly number[]>> = {
  Unauthorized: [401],
  Forbidden: [403],
  NotFound: [404],
  AlreadyExists: [409],
  Conflict: [409],
  Gone: [410],
  Invalid: [422],
  ServerTimeout: [500, 504],
  Timeout: [504],
  TooManyRequests: [429],
  BadRequest: [400],
  MethodNotAllowed: [405],
  NotAcceptable: [406],
  RequestEntityTooLarge: [413],
  UnsupportedMediaType: [415],
  InternalError: [500],
  Expired: [410],
  ServiceUnavailable: [503],
}

/** Answers of the layers below the API: as Go's net/http, Node's says these without a Status. */
const BELOW: ReadonlySet<number> = new Set([400, 408, 417, 431])

export function judge(request: FuzzRequest, answer: Answer): Violation | null {
  const { status, headers, body } = answer
  if (status < 200 || status > 599) return { rule: 'status-code', message: `the status is ${status}` }
  if (status < 400) return judgeSuccess(request, answer)
  const type = headers['content-type'] ?? ''
  if (request.method === 'HEAD')
    return status >= 500 && !isKnownFault(status, null) ? { rule: `http-${status}`, message: 'to a HEAD' } : null
  if (status >= 500 && !isKnownFault(status, body.toString('utf8'))) {
    return { rule: `http-${status}`, message: `${status} ${body.toString('utf8').slice(0, 600)}` }
  }
  if (type.startsWith('text/plain') && (status === 404 || isHealth(request.target))) return null
  if (BELOW.has(status) && !type.startsWith('application/')) return null
  if (!type.startsWith('application/json')) return { rule: 'error-type', message: `${status} has the content type ${JSON.stringify(type)}` }
  return judgeStatus(status, body)
}

function judgeStatus(code: number, body: Buffer): Violation | null {
  const given = parsed(body)
  const fail = (message: string): Violation => ({ rule: 'error-status', message: `${message}: ${body.toString('utf8').slice(0, 400)}` })
  if (given === undefined) return fail('the body of an error is no JSON')
  if (given['kind'] !== 'Status' || given['apiVersion'] !== 'v1' || given['status'] !== 'Failure') return fail('an error is no Status')
  if (given['code'] !== code) return fail(`the Status of ${code} has another code`)
  const reason = given['reason']
  if (reason !== undefined && !(typeof reason === 'string' && (CODES[reason] ?? []).includes(code)))
    return fail(`the reason does not belong to ${code}`)
  if (typeof given['message'] !== 'string' || given['message'] === '') return fail('an error says nothing')
  if (/\bat .*\(.*:\d+:\d+\)|node:internal|\[object Object\]|undefined is not|Cannot read prop/.test(given['message'])) {
    return { rule: 'error-leaks', message: given['message'].slice(0, 400) }
  }
  return null
}

function judgeSuccess({ method }: FuzzRequest, { status, headers, body, cut }: Answer): Violation | null {
  if (cut || method === 'HEAD' || status >= 300 || headers['content-encoding']) return null
  if (!headers['content-type']?.startsWith('application/json')) return null
  // A watch that ended by itself is many values, one a line.
  const text = body.toString('utf8')
  if (parsed(body) !== undefined || text.split('\n').every((line) => line === '' || parsed(Buffer.from(line)) !== undefined)) return null
  return { rule: 'success-json', message: `what is called JSON is none: ${text.slice(0, 200)}` }
}

export function parsed(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

const isHealth = (target: string) => /^\/+(healthz|livez|readyz)/.test(target)
