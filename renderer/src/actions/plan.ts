/** What a button will do, as data: the API calls, how kubectl would make them, and what undoes them. */
import type { ApiCall } from '../kube/api.ts'

export interface Step {
  readonly call: ApiCall
  /** The command line that does the same; empty where kubectl has none. */
  readonly kubectl: string
}

export interface Plan {
  /** In the past tense, for the toast: "Scaled shop/web to 4". */
  readonly done: string
  /** For the error: "Could not scale shop/web." */
  readonly failed: string
  readonly steps: readonly Step[]
  readonly undo?: Plan
}

/** ` -n shop`, or nothing. */
export const inNamespace = (namespace: string | undefined): string => (namespace ? ` -n ${namespace}` : '')

/** A call as text, for who wants to see it: method, path with query, and body. */
export function callText(call: ApiCall): string {
  const query = call.query && Object.keys(call.query).length ? `?${new URLSearchParams(call.query).toString()}` : ''
  const head = `${call.method} ${call.path}${query}`
  if (call.body === undefined) return head
  const body = typeof call.body === 'string' ? call.body : JSON.stringify(call.body, null, 2)
  return `${head}\nContent-Type: ${call.contentType ?? 'application/json'}\n\n${body}`
}
