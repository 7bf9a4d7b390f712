import type { RawResponse } from './client.ts'

/** The whole body of a response. */
export async function readBody(response: RawResponse): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of response.body) parts.push(part)
  return Buffer.concat(parts)
}
