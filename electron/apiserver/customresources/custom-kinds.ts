/** A CustomResourceDefinition as kinds, which the registry serves like any other. */
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionVersion,
} from '../../api/apiextensions/v1/types.gen.ts'
import { apiVersionOf, defineKind, type AnyKind, type AskedForm, type FieldOf, type KindSpec, type Strategy } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { invalid, type FieldError, type FieldErrorType } from '../../api/values/field-error.ts'
import type { JsonObject } from '../../machinery/json-value.ts'
import { columnsOf } from './columns.ts'
import type { Convert } from './conversion.ts'
import { readSimple } from './json-path.ts'
import { modelName } from './model.ts'
import { validateCustom } from './object-validation.ts'
import { compileRules, type RuleNode } from './rules/compile-rules.ts'
import { RuleRun } from './rules/run-rules.ts'

export interface CustomKinds {
  /** In whose form objects are kept. */
  readonly stored: AnyKind
  readonly served: readonly AnyKind[]
}

/** Makes an object of a version from what is kept: pruned and defaulted by the version's schema. */
export type Reader = (kind: AnyKind, stored: KubeObject) => KubeObject

/** `names` are those that were accepted; `convert` null: versions have one shape. Null if no version is the one to store. */
export function customKinds(
  { spec }: CustomResourceDefinition,
  names: CustomResourceDefinitionNames,
  read: Reader,
  convert: Convert | null,
): CustomKinds | null {
  const storage = spec.versions.find((version) => version.storage)
  if (!storage) return null
  const common = {
    group: spec.group,
    kind: names.kind,
    resource: names.plural,
    singular: names.singular ?? '',
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: spec.scope === 'Namespaced',
  }
  const model = (version: string) => modelName(spec.group, version, names.kind)
  const stored = defineKind({ ...common, version: storage.name, model: model(storage.name) })
  const served: AnyKind[] = []
  for (const version of spec.versions) {
    if (!version.served) continue
    const kind: AnyKind = defineKind<KubeObject>({
      ...common,
      ...partsOf(version),
      ...(version.deprecated
        ? { deprecationWarning: version.deprecationWarning ?? `${spec.group}/${version.name} ${names.kind} is deprecated` }
        : {}),
      version: version.name,
      model: model(version.name),
      custom: { schema: version.schema?.openAPIV3Schema ?? {}, versions: served },
      storedAs: {
        kind: stored,
        toStored: (object) => object,
        fromStored: (object) => read(kind, object),
        ...(convert ? { ask: asked(() => kind, stored, read, convert) } : {}),
      },
    })
    served.push(kind)
  }
  return { stored, served }
}

function asked(kind: () => AnyKind, stored: AnyKind, read: Reader, convert: Convert): AskedForm {
  return {
    async toStored(object) {
      const [converted = object] = await convert([{ ...object, apiVersion: apiVersionOf(kind()) }], apiVersionOf(stored))
      return converted
    },
    async fromStored(objects) {
      const converted = await convert(objects, apiVersionOf(kind()))
      return converted.map((object) => read(kind(), object))
    },
  }
}

type Parts = Pick<KindSpec<KubeObject>, 'subresources' | 'columns' | 'selectableFields' | 'strategy'>

function partsOf(version: CustomResourceDefinitionVersion): Parts {
  const { status, scale } = version.subresources ?? {}
  const scaled = { verbs: ['get', 'patch', 'update'], group: 'autoscaling', version: 'v1', kind: 'Scale' } as const
  return {
    subresources: { ...(status ? { status: true } : {}), ...(scale ? { scale: { ...scaled, paths: scale } } : {}) },
    columns: columnsOf(version.additionalPrinterColumns),
    selectableFields: selectableFieldsOf(version),
    strategy: strategyOf(version),
  }
}

function selectableFieldsOf({ selectableFields = [] }: CustomResourceDefinitionVersion): Record<string, FieldOf<KubeObject>> {
  const fields = selectableFields.map(({ jsonPath }): [string, FieldOf<KubeObject>] => {
    const read = readSimple(jsonPath)
    return [
      jsonPath.replace(/^\./, ''),
      (object) => {
        const value = read(object)
        return value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value)
      },
    ]
  })
  return Object.fromEntries(fields)
}

/** Source: apiextensions-apiserver `registry/customresource/strategy.go`. */
function strategyOf(version: CustomResourceDefinitionVersion): Strategy<KubeObject> {
  const schema = version.schema?.openAPIV3Schema ?? {}
  let compiled: RuleNode | null | undefined
  const borne = new WeakMap<KubeObject, readonly string[]>()
  const examined = new WeakMap<KubeObject, { readonly old: KubeObject | undefined; readonly errors: FieldError[] }>()
  /** Errors, and the rules that are still to be asked. */
  const begin = (object: KubeObject, old?: KubeObject): { errors: FieldError[]; run: RuleRun | null } => {
    const errors = validateCustom(object, schema, old)
    if (compiled === undefined) compiled = compileRules(schema)
    if (!compiled) return { errors, run: null }
    if (errors.some(({ type }) => BLOCKING.has(type))) return { errors: [...errors, UNCHECKED], run: null }
    return { errors, run: new RuleRun(compiled, object, old) }
  }
  const end = (object: KubeObject, errors: FieldError[], run: RuleRun | null): FieldError[] => {
    if (!run) return errors
    borne.set(object, run.warnings)
    return [...errors, ...run.errors]
  }
  const check = (object: KubeObject, old?: KubeObject): FieldError[] => {
    const known = examined.get(object)
    if (known && known.old === old) return known.errors
    const { errors, run } = begin(object, old)
    run?.toEnd()
    return end(object, errors, run)
  }
  return {
    examine(object, old) {
      const { errors, run } = begin(object, old)
      const finish = () => void examined.set(object, { old, errors: end(object, errors, run) })
      if (run && !run.advance()) return run.inTurns().then(finish)
      finish()
      return undefined
    },
    prepareForCreate(object) {
      const fields = object as KubeObject & { status?: unknown }
      if (version.subresources?.status) delete fields.status
    },
    // A status that has a subresource is taken over before; one that has none counts like any other field.
    generationChanged: (object, old) => !semanticEqual(content(object), content(old)),
    validate: (object) => check(object),
    validateChanged: check,
    validateStatusUpdate: check,
    warnings: (object) => [...(borne.get(object) ?? [])],
    requireResourceVersion: true,
  }
}

/** What an object must not have wrong for its rules to be understood. */
const BLOCKING: ReadonlySet<FieldErrorType> = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
])
const UNCHECKED = invalid(
  '<nil>',
  'null',
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
)

function content(object: KubeObject): JsonObject {
  const { metadata: _metadata, ...rest } = object as unknown as JsonObject
  return rest
}
