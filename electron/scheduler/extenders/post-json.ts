/** JSON over HTTP and HTTPS, for extenders. */
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { deadline, type Clock } from '../../base/clock.ts'
import type { PostJson } from './extender.ts'

/** An answer is read up to here: 64 MiB, for clusters of thousands of nodes. */
const LIMIT = 64 << 20

export function postJson(clock: Clock): PostJson {
  return async (url, body, { timeout, tls, signal }) => {
    using limit = deadline(clock, timeout, signal)
    const { status, text } = await send(new URL(url), JSON.stringify(body), tls, limit.signal)
    if (status !== 200) throw new Error(`failed ${url} with extender at URL ${url}, code ${status}`)
    return text === '' ? {} : (JSON.parse(text) as unknown)
  }
}

function send(url: URL, body: string, tls: Parameters<PostJson>[2]['tls'], signal: AbortSignal): Promise<{ status: number; text: string }> {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  const secure = tls
    ? {
        ...{ ca: tls.ca, cert: tls.cert, key: tls.key, rejectUnauthorized: !tls.insecure },
        ...(tls.serverName ? { servername: tls.serverName } : {}),
      }
    : {}
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', headers, signal }
    const request = url.protocol === 'https:' ? requestHttps(url, { ...options, ...secure }) : requestHttp(url, options)
    request.on('error', (error) => reject(signal.aborted ? (signal.reason as Error) : error))
    request.on('response', (response) => {
      const parts: Buffer[] = []
      let size = 0
      response.on('data', (part: Buffer) => {
        parts.push(part)
        size += part.length
        if (size > LIMIT) request.destroy(new Error(`the extender answered with more than ${LIMIT} bytes`))
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString() }))
    })
    request.end(body)
  })
}
