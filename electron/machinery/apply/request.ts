/** Objects from apply requests, with the errors and warnings that Kubernetes answers. Source: apiserver `handlers/patch`. */
import type { Codec } from '../decode/codec.ts'
import type { DecodedRequest, ExpectedKind, FieldValidation } from '../decode/request.ts'
import { parseYaml, YamlError } from '../decode/yaml-value.ts'
import { isObject, type JsonObject } from '../json-value.ts'
import { badRequest } from '../status.ts'
import { applyConfiguration, type Requester } from './field-manager.ts'
import type { MergeTarget } from './updater.ts'

export interface ApplyRequest {
  readonly body: Uint8Array
  readonly requester: Requester
  readonly force: boolean
  readonly validation: FieldValidation
}

/** Applies the body onto `live` (null: there is no such object). Throws StatusError as `applyConfiguration`. */
export function applyRequest<T>(
  live: object | null,
  { body, requester, force, validation }: ApplyRequest,
  expected: ExpectedKind,
  target: MergeTarget,
  codec: Codec<T>,
): DecodedRequest<T> {
  const { config, duplicates } = parseConfiguration(body)
  const found = kindOf(config)
  if (found !== kindOf({ apiVersion: target.apiVersion, kind: expected.kind })) throw badRequest(`invalid object type: ${found}`)
  const object = applyConfiguration(live, config, requester, force, target, codec)
  if (validation === 'Ignore' || duplicates.length === 0) return { object, warnings: [] }
  const faults = duplicates.map((fault) => `error converting YAML to JSON: ${fault}`)
  if (validation === 'Strict') throw badRequest(`error strict decoding YAML: ${faults.join(', ')}`)
  return { object, warnings: faults }
}

function parseConfiguration(body: Uint8Array): { config: JsonObject; duplicates: readonly string[] } {
  const text = Buffer.from(body).toString('utf8')
  try {
    const { value, strict } = parseYaml(text)
    if (!isObject(value))
      throw badRequest(
        `error decoding YAML: json: cannot unmarshal ${Array.isArray(value) ? 'array' : typeof value} into Go value of type map[string]interface {}`,
      )
    return { config: value, duplicates: strict }
  } catch (error) {
    if (error instanceof YamlError) throw badRequest(`error decoding YAML: error converting YAML to JSON: ${error.message}`)
    throw error
  }
}

/** "apps/v1, Kind=Deployment". */
function kindOf({ apiVersion, kind }: JsonObject): string {
  const version = typeof apiVersion === 'string' ? apiVersion : ''
  return `${version.includes('/') ? version : `/${version}`}, Kind=${typeof kind === 'string' ? kind : ''}`
}
