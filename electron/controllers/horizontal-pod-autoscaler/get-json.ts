import type { Client } from '../../client/client.ts'
import { failure, type Status } from '../../machinery/status.ts'

type Query = Readonly<Record<string, string | undefined>>

/** What is at a path that has no kind here; throws StatusError for any other answer than success. */
export async function getJson<T>(client: Pick<Client, 'request'>, path: string, query: Query = {}): Promise<T> {
  return ask<T>(client, 'GET', path, query)
}

export async function putJson<T>(client: Pick<Client, 'request'>, path: string, value: unknown): Promise<T> {
  return ask<T>(client, 'PUT', path, {}, value)
}

async function ask<T>(client: Pick<Client, 'request'>, method: string, path: string, query: Query, value?: unknown): Promise<T> {
  const sent = value === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) }
  const { status, body } = await client.request({ method, path, query, ...sent })
  const parts: Uint8Array[] = []
  for await (const part of body) parts.push(part)
  const text = Buffer.concat(parts).toString('utf8')
  if (status < 300) return JSON.parse(text) as T
  throw refusal(status, text)
}

function refusal(code: number, text: string): Error {
  try {
    const { reason, message, details } = JSON.parse(text) as Status
    return failure(code, reason ?? 'InternalError', message ?? text, details)
  } catch {
    return failure(code, code === 404 ? 'NotFound' : 'InternalError', text.trim() || `the server answered ${code}`)
  }
}
