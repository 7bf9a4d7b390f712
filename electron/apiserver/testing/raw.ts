/** Requests as HTTP clients make them, without a socket. */
import type { Client, RawRequest } from '../../client/client.ts'
import { readBody } from '../../client/bytes.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  /** The body as JSON; throws if it is none. */
  readonly json: Record<string, unknown>
}

/** `target` with its query: "/api/v1/pods?limit=1". An object as body is sent as JSON. */
export async function send(
  client: Client,
  method: string,
  target: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const url = new URL(target, 'http://server')
  const query: Record<string, string[]> = {}
  for (const [name, value] of url.searchParams) query[name] = [...(query[name] ?? []), value]
  const request: RawRequest = {
    method,
    path: url.pathname,
    query,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: body instanceof Uint8Array || typeof body === 'string' ? body : JSON.stringify(body) }),
  }
  const response = await client.request(request)
  const text = (await readBody(response)).toString('utf8')
  return {
    status: response.status,
    headers: response.headers,
    text,
    get json() {
      return JSON.parse(text) as Record<string, unknown>
    },
  }
}
