import type { Call, Operation } from '../history.ts'
import { canonical } from '../model/state.ts'

/** A promise that was broken: which, and how one sees it. */
export interface Violation {
  readonly rule:
    | 'open'
    | 'stuck'
    | 'refusal'
    | 'gap'
    | 'history'
    | 'stale'
    | 'answer'
    | 'future'
    | 'lost'
    | 'reused'
    | 'unexplained'
    | 'compaction'
    | 'watch'
    | 'lease'
  readonly message: string
}

const LONG = 600

/** The operation as a person reads it. */
export function say({ id, client, call, ending }: Pick<Operation, 'id' | 'client' | 'call' | 'ending'>): string {
  return `#${id} of ${client} (${ending}): ${short(call satisfies Call)}`
}

export function short(value: unknown): string {
  const text = canonical(value)
  return text.length > LONG ? `${text.slice(0, LONG)}…` : text
}
