import { semanticEqual } from '../../values/equal.ts'
import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { invalid, invalidEach, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { nameIsDnsSubdomain } from '../../values/names.ts'
import { MANDATORY_SCHEMAS } from './defaults.ts'
import { validateRule } from './rule-validation.ts'
import type { FlowSchema, FlowSchemaSpec } from './types.gen.ts'

const DEFAULT_PRECEDENCE = 1000
const MAX_PRECEDENCE = 10_000
const DISTINGUISHERS = ['ByNamespace', 'ByUser']
/** The schema and the level of requests that nothing limits. */
const EXEMPT = 'exempt'

export const flowSchema = defineKind<FlowSchema>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'FlowSchema',
  resource: 'flowschemas',
  namespaced: false,
  model: 'io.k8s.api.flowcontrol.v1.FlowSchema',
  subresources: { status: true },
  columns: [
    {
      name: 'PriorityLevel',
      type: 'string',
      description: 'Level of its requests',
      value: ({ spec }) => spec.priorityLevelConfiguration.name,
    },
    {
      name: 'MatchingPrecedence',
      type: 'string',
      description: 'The lower, the earlier it is looked at',
      value: ({ spec }) => spec.matchingPrecedence ?? DEFAULT_PRECEDENCE,
    },
    {
      name: 'DistinguisherMethod',
      type: 'string',
      description: 'What makes a flow',
      value: ({ spec }) => spec.distinguisherMethod?.type ?? '<none>',
    },
    ageColumn,
    {
      name: 'MissingPL',
      type: 'string',
      description: 'Whether its level is not there',
      value: ({ status }) => status.conditions?.find(({ type }) => type === 'Dangling')?.status ?? '?',
    },
  ],
  strategy: {
    defaults({ spec }) {
      spec.matchingPrecedence ||= DEFAULT_PRECEDENCE
    },
    validate: ({ metadata, spec }) => validateSpec(metadata.name, spec),
  },
})

function validateSpec(name: string, spec: FlowSchemaSpec): FieldError[] {
  const { matchingPrecedence: precedence, distinguisherMethod: method, rules = [] } = spec
  const level = spec.priorityLevelConfiguration.name
  const at = 'spec.matchingPrecedence'
  const out: FieldError[] = []
  if (precedence === 1 && name !== EXEMPT) out.push(invalid(at, precedence, "only the schema named 'exempt' may have matchingPrecedence 1"))
  if (precedence < 1 || precedence > MAX_PRECEDENCE) out.push(invalid(at, precedence, 'must be in the range 1 through 10000'))
  if (method && !DISTINGUISHERS.includes(method.type)) out.push(notSupported('spec.distinguisherMethod.type', method.type, DISTINGUISHERS))
  const reference = 'spec.priorityLevelConfiguration.name'
  if (!level) out.push(required(reference, 'must reference a priority level'))
  else out.push(...invalidEach(reference, level, nameIsDnsSubdomain(level)))
  out.push(...rules.flatMap((rule, i) => validateRule(rule, `spec.rules[${i}]`)))
  const fixed = MANDATORY_SCHEMAS.find(({ metadata }) => metadata.name === name)
  if (fixed && !semanticEqual(spec, fixed.spec)) out.push(invalid('spec', spec, `spec of '${name}' must equal the fixed value`))
  return out
}
