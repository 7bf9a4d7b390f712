/** How a DELETE is to be done: from its body, or without one from its query. */
import { defineKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { scanJson } from '../../machinery/decode/json-scan.ts'
import { MAX_DEPTH } from '../../machinery/decode/json-tree.ts'
import { parseYaml, YamlError } from '../../machinery/decode/yaml-value.ts'
import { badRequest } from '../../machinery/status.ts'
import { inputFormat } from '../http/negotiate.ts'
import { openEnvelope } from '../protobuf/decode.ts'
import { WireError } from '../protobuf/wire.ts'
import type { Deletion } from '../registry/before-delete.ts'
import type { KindTypes } from '../registry/kind-types.ts'
import { checkDeletion } from './query.ts'

/** Every group has its own DeleteOptions, and all are this. */
const deleteOptions = defineKind<KubeObject>({
  group: 'meta.k8s.io',
  version: 'v1',
  kind: 'DeleteOptions',
  resource: 'deleteoptions',
  namespaced: false,
  model: 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions',
  verbs: [],
})

/** Throws StatusError 400, 415 or 422. */
export function deletionFromBody(types: KindTypes, bytes: Uint8Array, contentType: string | undefined): Deletion {
  const value = parse(types, bytes, contentType)
  const { kind } = (value ?? {}) as { kind?: unknown }
  if (kind !== undefined && kind !== '' && kind !== 'DeleteOptions') throw badRequest('decoded object cannot be converted to DeleteOptions')
  const options = { ...(value as object | null), apiVersion: 'meta.k8s.io/v1', kind: 'DeleteOptions' }
  return checkDeletion(types.fromValue(deleteOptions, options, 'Ignore', () => {}))
}

function parse(types: KindTypes, bytes: Uint8Array, contentType: string | undefined): unknown {
  const format = inputFormat(contentType)
  try {
    if (format === 'protobuf') {
      const { kind, raw } = openEnvelope(bytes)
      return { ...types.protobuf.decode(deleteOptions.model, raw), kind }
    }
    const text = Buffer.from(bytes).toString('utf8')
    if (format === 'yaml') return parseYaml(text).value
    const value: unknown = JSON.parse(text)
    if (scanJson(bytes).depth > MAX_DEPTH) throw new SyntaxError('exceeded max depth')
    return value
  } catch (error) {
    if (error instanceof WireError || error instanceof YamlError || error instanceof SyntaxError) throw badRequest(error.message, error)
    throw error
  }
}
