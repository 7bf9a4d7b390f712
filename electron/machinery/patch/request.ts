/** Objects from PATCH requests other than apply, with the errors and warnings that Kubernetes answers. Source: apiserver `handlers/patch`. */
import { invalid } from '../../api/values/field-error.ts'
import { DecodeError, type Codec } from '../decode/codec.ts'
import { scanJson } from '../decode/json-scan.ts'
import { duplicateFields, JsonSyntaxError, MAX_DEPTH, parseJsonTree } from '../decode/json-tree.ts'
import type { DecodedRequest, FieldValidation } from '../decode/request.ts'
import { goFormat, isObject, type JsonObject } from '../json-value.ts'
import { badRequest, invalidObject } from '../status.ts'
import { applyJsonPatch, strictJsonPatchFaults } from './json-patch.ts'
import { applyMergePatch } from './merge-patch.ts'
import { applyStrategicPatch } from './strategic-merge.ts'

export type PatchType = 'json' | 'merge' | 'strategic'

/** The type for each media type of PATCH that carries one of these. */
export const PATCH_TYPES: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
}

/**
 * Applies the patch to the object, which stays as it is, and decodes the result: checked, defaulted, pruned. Throws StatusError:
 * `BadRequest` for what is no patch, `Invalid` (422) where it does not apply or its result is no object of the type.
 */
export function patchObject<T extends object>(
  current: T,
  type: PatchType,
  body: Uint8Array,
  codec: Codec<T>,
  validation: FieldValidation,
): DecodedRequest<T> {
  const strict = validation !== 'Ignore'
  const { patch, duplicates } = parsePatch(body, type, strict)
  const ownFaults =
    type === 'json' && strict ? [...strictJsonPatchFaults(patch), ...duplicates.map((fault) => `json patch ${fault}`)] : duplicates
  const patched = applyTo(current, type, patch, codec)
  const refuse = (why: string) => {
    const shown = type === 'strategic' ? goFormat(patch) : JSON.stringify(patched)
    return invalidObject({ group: '', kind: '' }, '', [invalid('patch', shown, why)])
  }
  try {
    const { object, strict: faults } = codec.decode(patched, { strict })
    const problems = [...ownFaults, ...faults]
    if (validation === 'Strict' && problems.length > 0) throw refuse(`strict decoding error: ${problems.join(', ')}`)
    return { object, warnings: problems }
  } catch (error) {
    if (error instanceof DecodeError) throw refuse(error.message)
    throw error
  }
}

function applyTo<T extends object>(current: T, type: PatchType, patch: unknown, codec: Codec<T>): unknown {
  if (type === 'json') return applyJsonPatch(current, patch)
  if (!isObject(patch)) {
    const why = `json: cannot unmarshal ${kindOf(patch)} into Go value of type map[string]interface {}`
    throw badRequest(type === 'strategic' ? why : `error decoding patch: ${why}`)
  }
  return type === 'merge' ? applyMergePatch(current, patch) : applyStrategicPatch(current as JsonObject, patch, codec.type)
}

function parsePatch(body: Uint8Array, type: PatchType, strict: boolean): { patch: unknown; duplicates: readonly string[] } {
  const text = Buffer.from(body).toString('utf8')
  const refuse = (why: string) => badRequest(type === 'strategic' ? why : `error decoding patch: ${why}`)
  try {
    const patch: unknown = JSON.parse(text)
    if (scanJson(body).depth > MAX_DEPTH) throw new JsonSyntaxError('exceeded max depth')
    return { patch, duplicates: strict ? duplicateFields(parseJsonTree(text)) : [] }
  } catch (cause) {
    if (cause instanceof JsonSyntaxError) throw refuse(cause.message)
    try {
      parseJsonTree(text)
    } catch (error) {
      if (error instanceof JsonSyntaxError) throw refuse(error.message)
    }
    throw refuse(String(cause))
  }
}

function kindOf(patch: unknown): string {
  if (patch === null) return 'null'
  if (typeof patch === 'boolean') return 'bool'
  return Array.isArray(patch) ? 'array' : typeof patch
}
