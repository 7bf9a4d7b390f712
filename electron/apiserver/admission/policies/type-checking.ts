/**
 * Whether a policy's expressions fit the kinds that its rules name: what does not is told in its status and changes nothing. Source:
 * apiserver `admission/plugin/policy/validating/typechecking.go`.
 */
import type { ExpressionWarning, ValidatingAdmissionPolicySpec } from '../../../api/admissionregistration/v1/types.gen.ts'
import type { AnyKind } from '../../../api/kind.ts'
import type { Environment } from '../../../machinery/cel/environment.ts'
import { escapeName } from '../../../machinery/cel/names.ts'
import { BOOL, BYTES, DOUBLE, DYN, INT, listOf, mapOf, objectType, STRING, TIMESTAMP, type CelType } from '../../../machinery/cel/types.ts'
import type { Scalar, Type } from '../../../machinery/schema/type.ts'
import type { KindTypes } from '../../registry/kind-types.ts'
import type { Resources } from '../../resources.ts'
import { compileExpression, environmentOf } from '../expressions/expression.ts'
import { compileVariables } from './compile-validating.ts'

const MAX_KINDS = 10

const SCALARS: Partial<Record<Scalar, CelType>> = { boolean: BOOL, int32: INT, int64: INT, number: DOUBLE, string: STRING, bytes: BYTES }

export function typeWarnings(
  spec: ValidatingAdmissionPolicySpec,
  { resources, types }: { readonly resources: Resources; readonly types: KindTypes },
): ExpressionWarning[] {
  const environments = kindsOf(spec, resources).map((kind) => ({ kind, environment: typedEnvironment(spec, types.type(kind)) }))
  const check = (fieldRef: string, source: string): ExpressionWarning[] => {
    const faults = environments.flatMap(({ kind, environment }) => {
      const { error } = compileExpression(source, environment, null)
      return error ? `${kind.group}/${kind.version}, Kind=${kind.kind}: ${error}\n` : []
    })
    return faults.length > 0 ? [{ fieldRef, warning: faults.join('\n') }] : []
  }
  return (spec.validations ?? []).flatMap(({ expression, messageExpression }, i) => [
    ...check(`spec.validations[${i}].expression`, expression),
    ...(messageExpression ? check(`spec.validations[${i}].messageExpression`, messageExpression) : []),
  ])
}

/** Those that rules name without wildcards, by group, version and kind. */
function kindsOf({ matchConstraints }: ValidatingAdmissionPolicySpec, resources: Resources): AnyKind[] {
  const found = new Set<AnyKind>()
  for (const { apiGroups = [], apiVersions = [], resources: names = [] } of matchConstraints?.resourceRules ?? [])
    for (const group of apiGroups)
      for (const version of apiVersions)
        for (const name of names) {
          const kind = resources.kind(group, version, name)
          if (kind) found.add(kind)
        }
  const nameOf = (kind: AnyKind) => `${kind.group}/${kind.version}/${kind.kind}`
  return [...found].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)).slice(0, MAX_KINDS)
}

function typedEnvironment(spec: ValidatingAdmissionPolicySpec, type: Type): Environment {
  const object = celType(type, 'object')
  const base = environmentOf({ hasParams: spec.paramKind !== undefined, hasAuthorizer: true }).extend({
    variables: { object, oldObject: object },
  })
  return compileVariables(spec.variables, base).environment
}

/** Fields are looked at when an expression names them: types may hold themselves. */
function celType(type: Type, name: string): CelType {
  switch (type.kind) {
    case 'struct': {
      if (type.keepUnknown) return DYN
      const properties = new Map([...type.fields.keys()].map((property) => [escapeName(property), property]))
      return objectType(name, (field) => {
        const property = properties.get(field)
        const own = property === undefined ? undefined : type.fields.get(property)
        return own && { type: celType(own.type, `${name}.${field}`), property: own.name }
      })
    }
    case 'map':
      return mapOf(STRING, celType(type.values, `${name}.@elem`))
    case 'list':
      return listOf(celType(type.items, `${name}.@idx`))
    case 'scalar':
      return SCALARS[type.scalar] ?? (type.scalar === 'time' || type.scalar === 'microTime' ? TIMESTAMP : DYN)
    default:
      return DYN
  }
}
