/**
 * TypeScript types from the schema facts: `electron/api/<group>/<version>/types.gen.ts`, one file per stable group version.
 *
 * A property is required when the facts list it as required or give it a default: both mean that Kubernetes always serialises
 * it, and this server applies the defaults when it decodes. What a client sends may lack them: see `Draft`.
 */
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { emit, type Emit } from './emit.ts'

interface Schema {
  $ref?: string
  allOf?: Schema[]
  type?: string
  format?: string
  enum?: string[]
  default?: unknown
  items?: Schema
  additionalProperties?: Schema
  properties?: Record<string, Schema>
  required?: string[]
}
type Facts = Record<string, Schema>

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.'
const SCALARS: Record<string, string> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': 'Quantity',
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': 'IntOrString',
  [`${META}Time`]: 'Time',
  [`${META}MicroTime`]: 'MicroTime',
  [`${META}FieldsV1`]: 'Record<string, unknown>',
  [`${META}Duration`]: 'string',
  'io.k8s.apimachinery.pkg.runtime.RawExtension': 'Record<string, unknown>',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON': 'unknown',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray': 'JSONSchemaProps | JSONSchemaProps[]',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool': 'JSONSchemaProps | boolean',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray': 'JSONSchemaProps | string[]',
}
/** Written by hand in `electron/api/meta/v1/object.ts`, because our types say more than the facts. */
const BY_HAND = new Set(['Quantity', 'IntOrString', 'Time', 'MicroTime', 'ObjectMeta', 'KubeObject'])

/** `io.k8s.api.core.v1.Pod` -> folder `core/v1`, name `Pod`; null for what gets no type. */
export function place(model: string): { folder: string; name: string } | null {
  const parts = model.split('.')
  const name = parts.at(-1) ?? ''
  const version = parts.at(-2) ?? ''
  if (model.startsWith(META)) return { folder: 'meta/v1', name }
  if (!/^v\d+$/.test(version)) return null
  if (model.startsWith('io.k8s.api.')) return { folder: `${parts.at(-3)}/${version}`, name }
  if (model.startsWith('io.k8s.apiextensions-apiserver.')) return { folder: `apiextensions/${version}`, name }
  return null
}

export async function generateTypes(facts: Facts, apiDir: string, write: Emit = emit): Promise<void> {
  const files = new Map<string, Map<string, Schema>>()
  for (const [model, schema] of Object.entries(facts)) {
    const at = place(model)
    if (!at || SCALARS[model] || BY_HAND.has(at.name) || isList(schema)) continue
    const models = files.get(at.folder) ?? new Map<string, Schema>()
    files.set(at.folder, models.set(at.name, schema))
  }
  for (const [folder, models] of files) {
    const file = join(apiDir, folder, 'types.gen.ts')
    await mkdir(dirname(file), { recursive: true })
    await write(file, render(folder, models))
  }
}

function isList(schema: Schema): boolean {
  return !!schema.properties?.['items'] && (schema.properties['metadata']?.$ref?.endsWith('.ListMeta') ?? false)
}

function isObject(schema: Schema): boolean {
  const p = schema.properties
  return !!p?.['apiVersion'] && !!p['kind'] && (p['metadata']?.$ref?.endsWith('.ObjectMeta') ?? false)
}

function render(folder: string, models: Map<string, Schema>): string {
  const imports = new Map<string, Set<string>>()
  const use = (from: string, name: string) => {
    imports.set(from, (imports.get(from) ?? new Set()).add(name))
    return name
  }
  const object = (name: string) => use('meta/v1/object', name)

  const typeOf = (schema: Schema): string => {
    const ref = schema.$ref ?? schema.allOf?.[0]?.$ref
    if (ref) return typeOfRef(ref.slice(ref.lastIndexOf('/') + 1))
    if (schema.enum) return schema.enum.map((v) => `'${v}'`).join(' | ')
    if (schema.type === 'array') return arrayOf(typeOf(schema.items ?? {}))
    if (schema.type === 'object' && schema.additionalProperties) return `Record<string, ${typeOf(schema.additionalProperties)}>`
    if (schema.type === 'object') return 'Record<string, unknown>'
    if (schema.type === 'integer' || schema.type === 'number') return 'number'
    if (schema.type === 'boolean' || schema.type === 'string') return schema.type
    return 'unknown'
  }
  const typeOfRef = (model: string): string => {
    const scalar = SCALARS[model]
    if (scalar && BY_HAND.has(scalar)) return object(scalar)
    if (scalar) return scalar
    if (model === `${META}ObjectMeta`) return `Partial<${object('ObjectMeta')}>`
    const at = place(model)
    if (!at) return 'unknown'
    return at.folder === folder ? at.name : use(`${at.folder}/types.gen`, at.name)
  }

  const out: string[] = []
  for (const [name, schema] of [...models].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!schema.properties) {
      out.push(`export type ${name} = ${typeOf(schema)}`, '')
      continue
    }
    const whole = isObject(schema)
    out.push(whole ? `export interface ${name} extends ${object('KubeObject')} {` : `export interface ${name} {`)
    const required = new Set(schema.required)
    for (const [key, value] of Object.entries(schema.properties).sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (whole && ['apiVersion', 'kind', 'metadata'].includes(key)) continue
      const always = required.has(key) || value.default !== undefined
      out.push(`  ${/^\w+$/.test(key) ? key : `'${key}'`}${always ? '' : '?'}: ${typeOf(value)}`)
    }
    out.push('}', '')
  }
  const up = '../'.repeat(folder.split('/').length)
  const head = [...imports]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([from, names]) => {
      const near = folder === 'meta/v1' && from.startsWith('meta/v1/') ? `./${from.slice('meta/v1/'.length)}` : up + from
      return `import type { ${[...names].sort().join(', ')} } from '${near}.ts'`
    })
  return `// Generated by scripts/generate from the schema facts. Do not edit.\n${head.join('\n')}\n\n${out.join('\n')}`
}

function arrayOf(type: string): string {
  return /[|&]/.test(type) ? `(${type})[]` : `${type}[]`
}
