/** The annotation in which `kubectl apply` without `--server-side` keeps the configuration that it applied last. */
import { isObject, type JsonObject } from '../json-value.ts'
import { compareObjects } from './compare.ts'
import type { FieldSet } from './field-set.ts'
import { toFieldSet } from './to-field-set.ts'
import type { MergeTarget } from './updater.ts'
import { validateConfiguration } from './validate.ts'

export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
/** All annotations of an object together, in bytes. */
const MAX_ANNOTATIONS = 256 * 1024

/** The fields that the annotation names and that are still as it says; null if there is no annotation of use. */
export function fieldsOfLastApplied(live: JsonObject, target: MergeTarget): FieldSet | null {
  const text = annotationsOf(live)[LAST_APPLIED]
  if (typeof text !== 'string' || text === '') return null
  const config = parse(text)
  if (!config || config['apiVersion'] !== target.apiVersion || validateConfiguration(config, target.type).length > 0) return null
  const { added, removed, modified } = compareObjects(config, live, target.type)
  return toFieldSet(config, target.type).difference(modified).difference(added).difference(removed)
}

/** The object with the annotation brought up to the configuration that was just applied, if it has one. Too large, it is dropped. */
export function withLastApplied(object: JsonObject, config: JsonObject): JsonObject {
  const annotations = annotationsOf(object)
  if (!annotations[LAST_APPLIED]) return object
  const { [LAST_APPLIED]: _old, ...others } = annotations
  const text = `${JSON.stringify(withoutAnnotation(config))}\n`
  const wanted = { ...others, [LAST_APPLIED]: text }
  const size = Object.entries(wanted).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(String(value)), 0)
  const metadata = isObject(object['metadata']) ? object['metadata'] : {}
  return { ...object, metadata: { ...metadata, annotations: size > MAX_ANNOTATIONS ? others : wanted } }
}

function withoutAnnotation(config: JsonObject): JsonObject {
  const { metadata } = config
  if (!isObject(metadata) || !isObject(metadata['annotations'])) return config
  const { [LAST_APPLIED]: _old, ...annotations } = metadata['annotations']
  return { ...config, metadata: { ...metadata, annotations } }
}

function annotationsOf(object: JsonObject): JsonObject {
  const { metadata } = object
  return isObject(metadata) && isObject(metadata['annotations']) ? metadata['annotations'] : {}
}

function parse(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}
