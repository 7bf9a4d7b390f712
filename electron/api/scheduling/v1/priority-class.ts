import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { immutable } from '../../meta/v1/validation.ts'
import { forbidden, type FieldError } from '../../values/field-error.ts'
import { validatePreemptionPolicy } from '../../core/v1/pod-spec/pod-spec.ts'
import type { PriorityClass } from './types.gen.ts'

const SYSTEM_PREFIX = 'system-'
const HIGHEST_OF_USERS = 1_000_000_000
/** Of the cluster's own pods, by name. */
export const SYSTEM_PRIORITIES: Readonly<Record<string, number>> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
}

export const priorityClass = defineKind<PriorityClass>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  resource: 'priorityclasses',
  shortNames: ['pc'],
  namespaced: false,
  model: 'io.k8s.api.scheduling.v1.PriorityClass',
  columns: [
    { name: 'Value', type: 'integer', description: 'The higher, the more important', value: ({ value }) => value ?? 0 },
    {
      name: 'Global-Default',
      type: 'boolean',
      description: 'Whether pods that name no class have it',
      value: ({ globalDefault }) => globalDefault ?? false,
    },
    ageColumn,
    {
      name: 'PreemptionPolicy',
      type: 'string',
      description: 'Whether its pods may take the place of less important ones',
      value: ({ preemptionPolicy }) => preemptionPolicy ?? '',
    },
  ],
  strategy: {
    defaults(priority) {
      priority.preemptionPolicy ??= 'PreemptLowerPriority'
    },
    validate: (priority) => [...validateValue(priority), ...validatePreemptionPolicy(priority.preemptionPolicy, 'preemptionPolicy')],
    validateUpdate: (priority, old) => [
      ...(priority.value === old.value ? [] : [forbidden('value', 'may not be changed in an update.')]),
      ...immutable('preemptionPolicy', priority.preemptionPolicy, old.preemptionPolicy),
    ],
  },
})

function validateValue({ metadata, value, globalDefault }: PriorityClass): FieldError[] {
  const { name } = metadata
  if (!name.startsWith(SYSTEM_PREFIX)) {
    if (value <= HIGHEST_OF_USERS) return []
    return [forbidden('value', `maximum allowed value of a user defined priority is ${HIGHEST_OF_USERS}`)]
  }
  const known = SYSTEM_PRIORITIES[name]
  const fault =
    known === undefined
      ? `${name} is not a known system priority class`
      : value !== known
        ? `value of ${name} PriorityClass must be ${known}`
        : globalDefault
          ? `globalDefault of ${name} PriorityClass must be false`
          : ''
  const why = `priority class names with '${SYSTEM_PREFIX}' prefix are reserved for system use only. error: ${fault}`
  return fault ? [forbidden('metadata.name', why)] : []
}
