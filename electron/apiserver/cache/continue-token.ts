/** Continue tokens of chunked lists, in upstream's form (apiserver `storage/continue.go`), so that they mean what clients expect. */
import { badRequest } from '../../machinery/status.ts'

export interface ContinueToken {
  /** The revision of the list; -1: the list goes on at the present state. */
  readonly revision: number
  /** Where to go on, relative to the list's prefix. */
  readonly start: string
}

const VERSION = 'meta.k8s.io/v1'
export const INCONSISTENT = -1

export function encodeContinue(token: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: VERSION, rv: token.revision, start: token.start })).toString('base64url')
}

/** Throws StatusError `BadRequest`. */
export function decodeContinue(text: string): ContinueToken {
  const fault = (why: string) => badRequest(`invalid continue token: continue key is not valid${why}`)
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    throw fault('')
  }
  if (typeof parsed !== 'object' || parsed === null) throw fault('')
  const { v = '', rv, start } = parsed as { v?: unknown; rv?: unknown; start?: unknown }
  if (v !== VERSION) throw fault(`: server does not recognize this encoded version ${String(v)}`)
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0) {
    throw fault(`: incorrect encoded start resourceVersion (version ${VERSION})`)
  }
  if (typeof start !== 'string' || start === '') throw fault(`: encoded start key empty (version ${VERSION})`)
  // Keys are byte strings, and a start must not lead out of what is listed.
  if (!/^[\0-\xff]*$/.test(start)) throw fault(`: ${start}`)
  if (`/${start}/`.includes('/../') || `/${start}/`.includes('/./') || `/${start}`.includes('//')) throw fault(`: ${start}`)
  return { revision: rv, start }
}
