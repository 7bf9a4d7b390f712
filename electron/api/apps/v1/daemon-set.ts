import { ageColumn, labelsText, templateColumns } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { isEmptySelector, selectorMatches, selectorText, validateLabelSelector } from '../../meta/v1/label-selector.ts'
import { immutable, nonNegative } from '../../meta/v1/validation.ts'
import { invalid, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { defaultPodTemplate } from '../../core/v1/pod-spec/defaults.ts'
import { validatePodTemplate } from '../../core/v1/pod-spec/pod-spec.ts'
import { templateWarnings } from '../../core/v1/pod-spec/warnings.ts'
import type { DaemonSet, DaemonSetSpec, DaemonSetUpdateStrategy } from './types.gen.ts'
import { isZero, validateCollisions, validateCounts, validateRunsForever, validateShare } from './workload.ts'

const STRATEGIES = ['RollingUpdate', 'OnDelete']

export const daemonSet = defineKind<DaemonSet>({
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  resource: 'daemonsets',
  shortNames: ['ds'],
  categories: ['all'],
  namespaced: true,
  model: 'io.k8s.api.apps.v1.DaemonSet',
  subresources: { status: true },
  columns: [
    {
      name: 'Desired',
      type: 'integer',
      description: 'Nodes that should run it',
      value: ({ status }) => status.desiredNumberScheduled ?? 0,
    },
    { name: 'Current', type: 'integer', description: 'Of those, nodes that do', value: ({ status }) => status.currentNumberScheduled ?? 0 },
    { name: 'Ready', type: 'integer', description: 'Nodes where it is ready', value: ({ status }) => status.numberReady ?? 0 },
    {
      name: 'Up-to-date',
      type: 'integer',
      description: 'Nodes that run the present template',
      value: ({ status }) => status.updatedNumberScheduled ?? 0,
    },
    {
      name: 'Available',
      type: 'integer',
      description: 'Nodes where it is ready for long enough',
      value: ({ status }) => status.numberAvailable ?? 0,
    },
    {
      name: 'Node Selector',
      type: 'string',
      description: 'Labels of its nodes',
      value: ({ spec }) => labelsText(spec.template.spec.nodeSelector),
    },
    ageColumn,
    ...templateColumns<DaemonSet>(({ spec }) => spec.template.spec.containers),
    { name: 'Selector', type: 'string', priority: 1, description: 'Labels of its pods', value: ({ spec }) => selectorText(spec.selector) },
  ],
  strategy: {
    defaults({ spec }) {
      defaultStrategy(spec.updateStrategy)
      spec.revisionHistoryLimit ??= 10
      defaultPodTemplate(spec.template)
    },
    validate: ({ spec }) => validateSpec(spec),
    validateUpdate: ({ spec }, old) => immutable('spec.selector', spec.selector, old.spec.selector),
    validateStatusUpdate: ({ status }, old) => [
      ...validateCounts(status, COUNTS, [], 0),
      ...validateCollisions(status.collisionCount, old.status.collisionCount),
    ],
    warnings: (object, old) => templateWarnings(object, old, object.spec.template),
  },
})

const COUNTS = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
  'collisionCount',
] as const

function defaultStrategy(strategy: DaemonSetUpdateStrategy): void {
  strategy.type ??= 'RollingUpdate'
  if (strategy.type !== 'RollingUpdate') return
  strategy.rollingUpdate ??= {}
  strategy.rollingUpdate.maxUnavailable ??= 1
  strategy.rollingUpdate.maxSurge ??= 0
}

function validateSpec(spec: DaemonSetSpec): FieldError[] {
  const { template, selector } = spec
  const out = validateLabelSelector(selector, 'spec.selector')
  if (!selectorMatches(selector, template.metadata.labels)) {
    const why = '`selector` does not match template `labels`'
    out.push(invalid('spec.template.metadata.labels', template.metadata.labels ?? null, why))
  }
  if (selector && isEmptySelector(selector)) out.push(invalid('spec.selector', selector, 'empty selector is invalid for daemonset'))
  return [
    ...out,
    ...validatePodTemplate(template, 'spec.template'),
    ...validateRunsForever(template, 'DaemonSet'),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...validateStrategy(spec.updateStrategy, 'spec.updateStrategy'),
    ...nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
  ]
}

function validateStrategy(strategy: DaemonSetUpdateStrategy, field: string): FieldError[] {
  const { type, rollingUpdate } = strategy
  const at = `${field}.rollingUpdate`
  if (type === 'OnDelete') return []
  if (type !== 'RollingUpdate') return [notSupported(field, strategy, STRATEGIES)]
  if (!rollingUpdate) return [required(at)]
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate
  const out = [...validateShare(`${at}.maxUnavailable`, maxUnavailable), ...validateShare(`${at}.maxSurge`, maxSurge)]
  if (!isZero(maxUnavailable) && !isZero(maxSurge)) {
    out.push(invalid(`${at}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'))
  } else if (isZero(maxUnavailable) && isZero(maxSurge)) out.push(required(`${at}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'))
  return out
}
