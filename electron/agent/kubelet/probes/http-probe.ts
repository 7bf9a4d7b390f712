/** `httpGet`, for probes and for hooks. Source: kubernetes `pkg/probe/http`. */
import http from 'node:http'
import https from 'node:https'
import { deadline } from '../../../base/clock.ts'
import type { Clock } from '../../../base/clock.ts'
import { systemCode } from '../../../base/errors.ts'
import type { Container, HTTPGetAction } from '../../../api/core/v1/types.gen.ts'
import { resolvePort } from '../containers/ports.ts'
import { dialError, failure, hostPort, MOST_OUTPUT, success, unknown } from './probe.ts'
import type { ProbeAnswer } from './probe.ts'

const MOST_REDIRECTS = 10

export interface HttpGet {
  readonly url: URL
  readonly headers: Readonly<Record<string, string | string[]>>
}

/** The request that an action means; null if its port is no port of the container. */
export function httpRequestOf(action: HTTPGetAction, container: Container, address: string, userAgent: string): HttpGet | null {
  const port = resolvePort(action.port, container)
  if (port === null) return null
  const scheme = (action.scheme ?? 'HTTP').toLowerCase()
  const path = action.path ?? '/'
  const url = new URL(`${scheme}://${hostPort(action.host || address, port)}${path.startsWith('/') ? '' : '/'}${path}`)
  const headers: Record<string, string | string[]> = { 'user-agent': userAgent, accept: '*/*', connection: 'close' }
  for (const { name, value } of action.httpHeaders ?? []) {
    const key = name.toLowerCase()
    // An empty value takes a header of ours away.
    if (value === '' && (key === 'accept' || key === 'user-agent')) delete headers[key]
    else if (key in headers && key !== 'accept' && key !== 'user-agent') headers[key] = [headers[key] ?? [], value].flat()
    else headers[key] = value
  }
  return { url, headers }
}

/** Success is 200 to 399. Certificates are not checked; redirects are followed on the same host only. */
export async function probeHttp({ url, headers }: HttpGet, timeout: number, clock: Clock, parent: AbortSignal): Promise<ProbeAnswer> {
  using limit = deadline(clock, timeout, parent)
  let target = url
  try {
    for (let redirects = 0; ; redirects++) {
      const { status, location, body } = await get(target, headers, limit.signal)
      if (status >= 300 && status < 400 && location !== undefined) {
        const next = new URL(location, target)
        if (next.hostname !== url.hostname) return { outcome: 'warning', output: `Probe terminated redirects, Response body: ${body}` }
        if (redirects >= MOST_REDIRECTS) return failure(`Get ${JSON.stringify(location)}: stopped after 10 redirects`)
        target = next
        continue
      }
      return status >= 200 && status < 400 ? success(body) : failure(`HTTP probe failed with statuscode: ${status}`)
    }
  } catch (error) {
    if (parent.aborted) return unknown('the probe was given up')
    return failure(`Get "${target.href}": ${explain(error, target, limit.signal)}`)
  }
}

function explain(error: unknown, target: URL, signal: AbortSignal): string {
  if (signal.aborted) return 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
  if (systemCode(error) === 'ECONNRESET') return 'EOF'
  return dialError(error, target.host)
}

interface Answer {
  readonly status: number
  readonly location: string | undefined
  readonly body: string
}

function get(url: URL, headers: HttpGet['headers'], signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { request } = url.protocol === 'https:' ? https : http
    const options = { agent: false as const, headers, signal, setHost: !('host' in headers), rejectUnauthorized: false }
    const sent = request(url, options, (response) => {
      const parts: Buffer[] = []
      let size = 0
      const done = () => {
        const body = Buffer.concat(parts).subarray(0, MOST_OUTPUT).toString()
        resolve({ status: response.statusCode ?? 0, location: response.headers.location, body })
      }
      response.on('data', (part: Buffer) => {
        parts.push(part)
        size += part.length
        if (size < MOST_OUTPUT) return
        done()
        response.destroy()
      })
      response.once('end', done)
      response.once('error', reject)
    })
    sent.once('error', reject)
    sent.end()
  })
}
