/** The narrow view of machinery that the registry needs. */
import { apiVersionOf, type AnyKind } from '../api/kind.ts'
import type { KubeObject } from '../api/meta/v1/object.ts'
import { badRequest } from '../machinery/status.ts'

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

/** What a client sent: text, or in-process the object itself (which stays the caller's). */
export type Input = { readonly text: string } | { readonly value: unknown }

export function decodeInput(kind: AnyKind, input: Input, _validation: FieldValidation, _warn: (text: string) => void): KubeObject {
  let value: unknown
  try {
    value = 'text' in input ? JSON.parse(input.text) : JSON.parse(JSON.stringify(input.value))
  } catch (error) {
    throw badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): ${String(error)}`)
  }
  return complete(kind, value)
}

export function complete(kind: AnyKind, value: unknown): KubeObject {
  const object = value as KubeObject & { spec?: unknown; status?: unknown }
  object.kind ??= kind.kind
  object.apiVersion ??= apiVersionOf(kind)
  object.metadata ??= {} as KubeObject['metadata']
  if (['Pod', 'Namespace', 'Node', 'Service', 'Deployment'].includes(kind.kind)) {
    object.spec ??= {}
    object.status ??= {}
  }
  kind.strategy.defaults?.(object)
  return object
}

export function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const out: Record<string, unknown> = typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key]
    else out[key] = mergePatch(out[key], value)
  }
  return out
}
