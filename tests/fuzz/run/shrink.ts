/** The smallest request that still breaks the same promise. */
import { isDeepStrictEqual } from 'node:util'
import { Actor, Broken } from './actor.ts'
import type { FuzzRequest, Transport } from '../transport/connection.ts'

/** Tries before what is small enough is good enough, and how long they may take together, in milliseconds. */
const TRIES = 300
const PATIENCE = 20_000

export interface Shrunk {
  readonly request: FuzzRequest
  /** It takes no other request before it. */
  readonly alone: boolean
}

export async function shrink(transport: Transport, broken: Broken): Promise<Shrunk> {
  let best = broken.sent.at(-1) as FuzzRequest
  let tries = 0
  const until = performance.now() + PATIENCE
  const over = () => tries >= TRIES || performance.now() > until
  const breaks = async (request: FuzzRequest): Promise<boolean> => {
    if (tries > 0 && over()) return false
    tries++
    try {
      await new Actor(transport, () => undefined).send(request)
      return false
    } catch (error) {
      return error instanceof Broken && error.violation.rule === broken.violation.rule
    }
  }
  if (!(await breaks(best))) return { request: best, alone: false }
  const keep = async (request: FuzzRequest) => {
    if (!(await breaks(request))) return false
    best = request
    return true
  }
  for (const name of Object.keys(best.headers)) {
    const { [name]: _, ...headers } = best.headers
    await keep({ ...best, headers })
  }
  const [path = '', query] = best.target.split('?')
  if (query !== undefined && !(await keep({ ...best, target: path }))) {
    for (const part of query.split('&')) {
      const [now = '', left = ''] = best.target.split('?')
      await keep({
        ...best,
        target: `${now}?${left
          .split('&')
          .filter((one) => one !== part)
          .join('&')}`,
      })
    }
  }
  await shrinkBody(() => best, keep, over)
  return { request: best, alone: true }
}

async function shrinkBody(now: () => FuzzRequest, keep: (request: FuzzRequest) => Promise<boolean>, over: () => boolean): Promise<void> {
  const value = (): unknown => {
    try {
      return JSON.parse(now().body?.toString('utf8') ?? '')
    } catch {
      return undefined
    }
  }
  if (value() === undefined) return
  for (let again = true; again;) {
    again = false
    for (const smaller of smallerValues(value())) {
      if (over()) return
      if (isDeepStrictEqual(smaller, value())) continue
      if (await keep({ ...now(), body: Buffer.from(JSON.stringify(smaller)) })) {
        again = true
        break
      }
    }
  }
}

/** The value with one thing taken away, the large things first. */
function* smallerValues(value: unknown): Generator<unknown> {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) yield value.filter((_, at) => at !== i)
    for (let i = 0; i < value.length; i++)
      for (const inner of smallerValues(value[i])) yield value.map((one: unknown, at) => (at === i ? inner : one))
  } else if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
    for (const [name] of entries) yield Object.fromEntries(entries.filter(([other]) => other !== name))
    for (const [name, item] of entries) for (const inner of smallerValues(item)) yield { ...value, [name]: inner }
  } else if (typeof value === 'string' && value.length > 8) yield value.slice(0, value.length >> 1)
}

const SHOWN = 4000

/** As a person reads it, or feeds it to a connection. */
export function requestText({ method, target, headers, body, via }: FuzzRequest): string {
  const lines = [`${method} ${target} (${via})`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)]
  if (!body) return lines.join('\n')
  const text = body.toString('utf8')
  const shown = Buffer.from(text).equals(body) ? text : `base64 ${body.toString('base64')}`
  return `${lines.join('\n')}\n\n${shown.slice(0, SHOWN)}${shown.length > SHOWN ? `… (${body.length} bytes)` : ''}`
}
