/** Custom resources: a definition that is served, and its objects. */
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
  JSONSchemaProps,
} from '../../../electron/api/apiextensions/v1/types.gen.ts'
import { defineKind, type Kind } from '../../../electron/api/kind.ts'
import type { Draft, KubeObject } from '../../../electron/api/meta/v1/object.ts'
import { eventually, ignoreMissing, type BehaviourContext } from './behaviour.ts'
import { customResourceDefinition } from './extension-kinds.ts'
import { send } from './raw.ts'

export interface CustomObject extends KubeObject {
  [field: string]: unknown
}

export interface Custom {
  readonly definition: CustomResourceDefinition
  /** "things-x7m4d.example.com" */
  readonly name: string
  readonly group: string
  readonly plural: string
  /** The kind as it is served in a version; by default in v1. */
  kind(version?: string): Kind<CustomObject>
}

export interface CustomOptions {
  readonly versions?: Draft<CustomResourceDefinitionVersion>[]
  /** Of the only version, v1. */
  readonly schema?: Draft<JSONSchemaProps>
  readonly group?: string
  readonly conversion?: Draft<CustomResourceDefinitionSpec>['conversion']
  readonly labels?: Record<string, string>
}

/** Takes any fields. */
export const ANYTHING: Draft<JSONSchemaProps> = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

export const versionOf = (
  name: string,
  schema: Draft<JSONSchemaProps> = ANYTHING,
  more: Draft<CustomResourceDefinitionVersion> = {},
): Draft<CustomResourceDefinitionVersion> => ({ name, served: true, storage: name === 'v1', schema: { openAPIV3Schema: schema }, ...more })

/** What is sent to define namespaced objects of a kind that nobody else has. */
export function definitionDraft(context: BehaviourContext, options: CustomOptions = {}): Draft<CustomResourceDefinition> {
  const {
    group = `${context.unique('group')}.example.com`,
    versions = [versionOf('v1', options.schema)],
    conversion,
    labels = {},
  } = options
  const singular = context.unique('thing').replace('-', '')
  const kind = `Thing${singular.slice('thing'.length)}`
  return {
    metadata: { name: `${singular}s.${group}`, labels },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: `${singular}s`, singular, kind, listKind: `${kind}List` },
      versions,
      ...(conversion ? { conversion } : {}),
    },
  }
}

/** Resolves when every served version is answered for. */
export async function defineCustom(context: BehaviourContext, options: CustomOptions = {}): Promise<Custom> {
  const { client, signal, namespace } = context
  const draft = definitionDraft(context, options)
  const name = draft.metadata?.name ?? ''
  context.afterwards(() => client.delete(customResourceDefinition, { name }).catch(ignoreMissing))
  const definition = await client.create(customResourceDefinition, draft)
  await established(context, name)
  const { group, names, versions } = definition.spec
  for (const { name: version, served } of versions) {
    if (!served) continue
    await eventually(signal, `${names.plural}.${version}.${group} is served`, async () => {
      const answer = await send(client, 'GET', `/apis/${group}/${version}/namespaces/${namespace}/${names.plural}`)
      return answer.status === 200
    })
  }
  return { definition, name, group, plural: names.plural, kind: (version = 'v1') => kindOf(definition, version) }
}

export async function established({ client, signal }: BehaviourContext, name: string): Promise<void> {
  await eventually(signal, `${name} is established`, async () => {
    const { conditions = [] } = (await client.get(customResourceDefinition, { name })).status
    return conditions.some(({ type, status }) => type === 'Established' && status === 'True')
  })
}

function kindOf({ spec: { group, names } }: CustomResourceDefinition, version: string): Kind<CustomObject> {
  return defineKind<CustomObject>({
    group,
    version,
    kind: names.kind,
    resource: names.plural,
    namespaced: true,
    model: `custom.${group}.${version}.${names.kind}`,
  })
}
