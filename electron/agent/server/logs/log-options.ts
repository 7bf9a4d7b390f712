/** What of a log is wanted. Source: Kubernetes API, PodLogOptions. */
import { HttpError } from '../http-error.ts'

export interface LogOptions {
  readonly follow: boolean
  readonly previous: boolean
  readonly timestamps: boolean
  /** Lines from the end; null: all. */
  readonly tailLines: number | null
  /** Milliseconds since the epoch; null: from the beginning. */
  readonly since: number | null
  readonly limitBytes: number | null
  readonly stream: 'stdout' | 'stderr' | null
}

/** Throws HttpError 400 for what makes no sense. */
export function logOptions(query: URLSearchParams, now: number): LogOptions {
  const number = (name: string): number | null => {
    const text = query.get(name)
    if (text === null) return null
    const value = Number(text)
    if (!Number.isInteger(value) || value < 0) throw new HttpError(400, `invalid value ${JSON.stringify(text)} for ${name}`)
    return value
  }
  const sinceSeconds = number('sinceSeconds')
  const sinceTime = query.get('sinceTime')
  const time = sinceTime === null ? null : Date.parse(sinceTime)
  if (time !== null && Number.isNaN(time)) throw new HttpError(400, `invalid value ${JSON.stringify(sinceTime)} for sinceTime`)
  const stream = query.get('stream') ?? 'All'
  if (!['All', 'Stdout', 'Stderr'].includes(stream)) throw new HttpError(400, `invalid value ${JSON.stringify(stream)} for stream`)
  return {
    follow: isTrue(query.get('follow')),
    previous: isTrue(query.get('previous')),
    timestamps: isTrue(query.get('timestamps')),
    tailLines: number('tailLines'),
    since: sinceSeconds === null ? time : now - sinceSeconds * 1000,
    limitBytes: number('limitBytes'),
    stream: stream === 'All' ? null : stream === 'Stdout' ? 'stdout' : 'stderr',
  }
}

export function isTrue(text: string | null): boolean {
  return text === 'true' || text === '1'
}
