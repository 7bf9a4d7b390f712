import { ageColumn, templateColumns } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { selectorText } from '../../meta/v1/label-selector.ts'
import { immutable, nonNegative } from '../../meta/v1/validation.ts'
import { forbidden, invalid, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { semanticEqual } from '../../values/equal.ts'
import { defaultPodTemplate } from '../../core/v1/pod-spec/defaults.ts'
import { templateWarnings } from '../../core/v1/pod-spec/warnings.ts'
import type { Deployment, DeploymentSpec, DeploymentStrategy } from './types.gen.ts'
import * as workload from './workload.ts'

const STRATEGIES = ['Recreate', 'RollingUpdate']

export const deployment = defineKind<Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  resource: 'deployments',
  shortNames: ['deploy'],
  categories: ['all'],
  namespaced: true,
  model: 'io.k8s.api.apps.v1.Deployment',
  subresources: { scale: true, status: true },
  columns: [
    workload.readyColumn,
    { name: 'Up-to-date', type: 'string', description: 'Pods of the present template', value: ({ status }) => status.updatedReplicas ?? 0 },
    { name: 'Available', type: 'string', description: 'Pods ready for long enough', value: ({ status }) => status.availableReplicas ?? 0 },
    ageColumn,
    ...templateColumns<Deployment>(({ spec }) => spec.template.spec.containers),
    { name: 'Selector', type: 'string', priority: 1, description: 'Labels of its pods', value: ({ spec }) => selectorText(spec.selector) },
  ],
  strategy: {
    defaults({ spec }) {
      spec.replicas ??= 1
      defaultStrategy(spec.strategy)
      spec.revisionHistoryLimit ??= 10
      spec.progressDeadlineSeconds ??= 600
      defaultPodTemplate(spec.template)
    },
    validate: ({ spec }) => validateSpec(spec),
    validateUpdate: ({ spec }, old) => immutable('spec.selector', spec.selector, old.spec.selector),
    validateStatusUpdate: ({ status }, old) => [
      ...workload.validateCounts(status, COUNTS, ['updatedReplicas', 'readyReplicas', 'availableReplicas'], status.replicas),
      ...workload.validateAvailable(status.availableReplicas, status.readyReplicas),
      ...workload.validateCollisions(status.collisionCount, old.status.collisionCount),
    ],
    warnings: (object, old) => templateWarnings(object, old, object.spec.template),
    // Annotations are part of a rollout's history.
    generationChanged: (object, old) =>
      !semanticEqual(object.spec, old.spec) || !semanticEqual(object.metadata.annotations ?? {}, old.metadata.annotations ?? {}),
  },
})

const COUNTS = [
  'observedGeneration',
  'replicas',
  'updatedReplicas',
  'readyReplicas',
  'availableReplicas',
  'unavailableReplicas',
  'collisionCount',
] as const

function defaultStrategy(strategy: DeploymentStrategy): void {
  strategy.type ??= 'RollingUpdate'
  if (strategy.type !== 'RollingUpdate') return
  strategy.rollingUpdate ??= {}
  strategy.rollingUpdate.maxUnavailable ??= '25%'
  strategy.rollingUpdate.maxSurge ??= '25%'
}

function validateSpec(spec: DeploymentSpec): FieldError[] {
  const out = [
    ...nonNegative('spec.replicas', spec.replicas),
    ...workload.validateSelector(spec.selector, 'deployment'),
    ...workload.validateReplicaTemplate(spec.template, spec.selector),
    ...validateStrategy(spec.strategy, 'spec.strategy'),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
    ...nonNegative('spec.progressDeadlineSeconds', spec.progressDeadlineSeconds),
  ]
  const deadline = spec.progressDeadlineSeconds
  if (deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0)) {
    out.push(invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'))
  }
  return out
}

function validateStrategy(strategy: DeploymentStrategy, field: string): FieldError[] {
  const at = `${field}.rollingUpdate`
  const { type, rollingUpdate } = strategy
  if (type === 'Recreate') {
    return rollingUpdate ? [forbidden(at, "may not be specified when strategy `type` is 'Recreate'")] : []
  }
  if (type !== 'RollingUpdate') return [notSupported(field, strategy, STRATEGIES)]
  if (!rollingUpdate) return [required(at, 'this should be defaulted and never be nil')]
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate
  const out = [
    ...workload.validateShare(`${at}.maxUnavailable`, maxUnavailable),
    ...workload.validateShare(`${at}.maxSurge`, maxSurge, { upTo100: false }),
  ]
  if (workload.isZero(maxUnavailable) && workload.isZero(maxSurge)) {
    out.push(invalid(`${at}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'))
  }
  return out
}
