/** Raw requests of the in-process client, as the pipeline knows requests and responses. */
import type { RawRequest, RawResponse } from '../client/client.ts'
import { failure } from '../machinery/status.ts'
import type { ApiRequest, ApiResponse, UserInfo } from './types.ts'

const NEVER = new AbortController().signal

export function rawRequest(request: RawRequest, user: UserInfo, manager: string): ApiRequest {
  const headers: Record<string, string> = { 'user-agent': manager }
  for (const [name, value] of Object.entries(request.headers ?? {})) headers[name.toLowerCase()] = value
  return {
    method: request.method,
    path: decodeURIComponent(request.path),
    query: queryOf(request.query),
    headers,
    async body(limit) {
      const bytes = Buffer.from(request.body ?? '')
      if (bytes.length > limit) throw tooLarge(limit)
      return bytes
    },
    user,
    signal: request.signal ?? NEVER,
  }
}

export function tooLarge(limit: number) {
  return failure(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limit}`)
}

export function rawResponse(response: ApiResponse): RawResponse {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(response.headers)) headers[name] = typeof value === 'string' ? value : value.join(', ')
  return { status: response.status, headers, body: disposable(response.body) }
}

function queryOf(query: RawRequest['query']): URLSearchParams {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const one of typeof value === 'string' ? [value] : (value ?? [])) params.append(name, one)
  }
  return params
}

function disposable(body: ApiResponse['body']): RawResponse['body'] {
  const source = body instanceof Uint8Array ? once(body) : body[Symbol.asyncIterator]()
  return {
    [Symbol.asyncIterator]: () => source,
    async [Symbol.asyncDispose]() {
      await source.return?.()
    },
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  if (bytes.length > 0) yield bytes
}
