/** Requests that the typed client does not make: other media types, bodies that are not valid, documents that are no objects. */
import { readBody } from '../../../electron/client/bytes.ts'
import type { Client, RawRequest } from '../../../electron/client/client.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  /** The body as JSON; throws if it is none. */
  json<T = Record<string, unknown>>(): T
}

/** `target` may have a query: "/api/v1/pods?limit=1". An object as body is sent as JSON. */
export async function send(
  client: Client,
  method: string,
  target: string,
  body?: object | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const { pathname, searchParams } = new URL(target, 'https://server')
  const query = Object.fromEntries([...new Set(searchParams.keys())].map((name) => [name, searchParams.getAll(name)]))
  const sent: Partial<RawRequest> =
    body === undefined
      ? { headers }
      : { headers: { 'content-type': 'application/json', ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) }
  const response = await client.request({ method, path: pathname, query, ...sent })
  const text = (await readBody(response)).toString('utf8')
  return { status: response.status, headers: response.headers, text, json: <T>() => JSON.parse(text) as T }
}

/** The document at a path; throws unless it is answered with 200. */
export async function getJson<T>(client: Client, target: string, headers?: Readonly<Record<string, string>>): Promise<T> {
  const answer = await send(client, 'GET', target, undefined, headers)
  if (answer.status !== 200) throw new Error(`GET ${target} was answered with ${answer.status}: ${answer.text}`)
  return answer.json<T>()
}
