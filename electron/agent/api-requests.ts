/** Requests for what has no typed call: subresources, and single objects that need no kind. */
import { readBody } from '../client/bytes.ts'
import type { Client } from '../client/client.ts'
import { StatusError, failure } from '../machinery/status.ts'
import type { Status } from '../machinery/status.ts'

/** The JSON of a successful answer; throws StatusError otherwise. */
export async function requestJson<T>(
  client: Pick<Client, 'request'>,
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  const response = await client.request({
    method,
    path,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    ...(signal ? { signal } : {}),
  })
  const text = (await readBody(response)).toString()
  if (response.status < 400) return JSON.parse(text) as T
  throw toError(response.status, text)
}

function toError(code: number, text: string): StatusError {
  try {
    const status = JSON.parse(text) as Status
    if (status.kind === 'Status') return new StatusError(status)
  } catch {
    // Something between us and the API server answered.
  }
  return failure(code, 'Unknown', text.trim() || `the API server answered ${code}`)
}
