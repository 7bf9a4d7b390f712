import { ageColumn, templateColumns } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { selectorText } from '../../meta/v1/label-selector.ts'
import { immutable, nonNegative } from '../../meta/v1/validation.ts'
import { defaultPodTemplate } from '../../core/v1/pod-spec/defaults.ts'
import { templateWarnings } from '../../core/v1/pod-spec/warnings.ts'
import { validateReplicas } from '../../core/v1/replication-controller.ts'
import type { ReplicaSet } from './types.gen.ts'
import { validateReplicaTemplate, validateSelector } from './workload.ts'

export const replicaSet = defineKind<ReplicaSet>({
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  resource: 'replicasets',
  shortNames: ['rs'],
  categories: ['all'],
  namespaced: true,
  model: 'io.k8s.api.apps.v1.ReplicaSet',
  subresources: { scale: true, status: true },
  columns: [
    { name: 'Desired', type: 'integer', description: 'Pods that there should be', value: ({ spec }) => spec.replicas ?? 0 },
    { name: 'Current', type: 'integer', description: 'Pods that there are', value: ({ status }) => status.replicas ?? 0 },
    { name: 'Ready', type: 'integer', description: 'Pods that are ready', value: ({ status }) => status.readyReplicas ?? 0 },
    ageColumn,
    ...templateColumns<ReplicaSet>(({ spec }) => spec.template.spec.containers),
    { name: 'Selector', type: 'string', priority: 1, description: 'Labels of its pods', value: ({ spec }) => selectorText(spec.selector) },
  ],
  selectableFields: { 'status.replicas': ({ status }) => String(status.replicas ?? 0) },
  strategy: {
    defaults({ spec }) {
      spec.replicas ??= 1
      defaultPodTemplate(spec.template)
    },
    validate: ({ spec }) => [
      ...nonNegative('spec.replicas', spec.replicas),
      ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
      ...validateSelector(spec.selector, 'deployment'),
      ...validateReplicaTemplate(spec.template, spec.selector),
    ],
    validateUpdate: ({ spec }, old) => immutable('spec.selector', spec.selector, old.spec.selector),
    validateStatusUpdate: ({ status }) => validateReplicas(status),
    warnings: (object, old) => templateWarnings(object, old, object.spec.template),
  },
})
