import { ageColumn } from '../../columns.ts'
import { defineKind, type Column } from '../../kind.ts'
import { nonNegative } from '../../meta/v1/validation.ts'
import { invalid, type FieldError } from '../../values/field-error.ts'
import { DEFAULT_METRIC, metricsText, validateMetrics, validateReference } from './metrics.ts'
import { defaultBehavior, validateBehavior } from './scaling-behavior.ts'
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec } from './types.gen.ts'

export const autoscalerColumns: readonly Column<HorizontalPodAutoscaler>[] = [
  {
    name: 'Reference',
    type: 'string',
    description: 'What it scales',
    value: ({ spec }) => `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`,
  },
  {
    name: 'Targets',
    type: 'string',
    description: 'What is measured, and what is wanted',
    value: ({ spec, status }) => metricsText(spec.metrics, status.currentMetrics),
  },
  { name: 'MinPods', type: 'string', description: 'At least so many', value: ({ spec }) => String(spec.minReplicas ?? '<unset>') },
  { name: 'MaxPods', type: 'string', description: 'At most so many', value: ({ spec }) => spec.maxReplicas },
  { name: 'Replicas', type: 'string', description: 'As many as it sees', value: ({ status }) => status.currentReplicas ?? 0 },
  ageColumn,
]

export const horizontalPodAutoscaler = defineKind<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  resource: 'horizontalpodautoscalers',
  shortNames: ['hpa'],
  categories: ['all'],
  namespaced: true,
  model: 'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler',
  subresources: { status: true },
  columns: autoscalerColumns,
  strategy: {
    defaults: ({ spec }) => defaultAutoscaler(spec),
    prepareForCreate(object) {
      object.status = { desiredReplicas: 0 }
    },
    validate: ({ spec }) => validateAutoscaler(spec),
    validateStatusUpdate: ({ status }) => validateAutoscalerStatus(status),
  },
})

export function defaultAutoscaler(spec: HorizontalPodAutoscalerSpec): void {
  spec.minReplicas ??= 1
  if (!spec.metrics?.length) spec.metrics = [structuredClone(DEFAULT_METRIC)]
  defaultBehavior(spec.behavior)
}

export function validateAutoscaler({
  minReplicas,
  maxReplicas,
  scaleTargetRef,
  metrics,
  behavior,
}: HorizontalPodAutoscalerSpec): FieldError[] {
  const out: FieldError[] = []
  if (minReplicas !== undefined && minReplicas < 1) out.push(invalid('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'))
  if (maxReplicas < 1) out.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than 0'))
  if (minReplicas !== undefined && maxReplicas < minReplicas)
    out.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'))
  return [
    ...out,
    ...validateReference(scaleTargetRef, 'spec.scaleTargetRef'),
    ...validateMetrics(metrics, 'spec.metrics'),
    ...validateBehavior(behavior, 'spec.behavior'),
  ]
}

export function validateAutoscalerStatus({
  currentReplicas,
  desiredReplicas,
}: {
  currentReplicas?: number
  desiredReplicas: number
}): FieldError[] {
  return [...nonNegative('status.currentReplicas', currentReplicas), ...nonNegative('status.desiredReplicas', desiredReplicas)]
}
