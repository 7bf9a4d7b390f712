import { ageColumn, labelsText, templateColumns } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { nonNegative } from '../../meta/v1/validation.ts'
import { forbidden, invalid, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { defaultPodTemplate } from './pod-spec/defaults.ts'
import { validatePodTemplate } from './pod-spec/pod-spec.ts'
import { templateWarnings } from './pod-spec/warnings.ts'
import type { ReplicationController, ReplicationControllerStatus } from './types.gen.ts'

export const replicationController = defineKind<ReplicationController>({
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  resource: 'replicationcontrollers',
  shortNames: ['rc'],
  categories: ['all'],
  namespaced: true,
  model: 'io.k8s.api.core.v1.ReplicationController',
  subresources: { scale: true, status: true },
  columns: [
    { name: 'Desired', type: 'integer', description: 'Pods that there should be', value: ({ spec }) => spec.replicas },
    { name: 'Current', type: 'integer', description: 'Pods that there are', value: ({ status }) => status.replicas ?? 0 },
    { name: 'Ready', type: 'integer', description: 'Pods that are ready', value: ({ status }) => status.readyReplicas ?? 0 },
    ageColumn,
    ...templateColumns<ReplicationController>(({ spec }) => spec.template?.spec.containers),
    { name: 'Selector', type: 'string', priority: 1, description: 'Labels of its pods', value: ({ spec }) => labelsText(spec.selector) },
  ],
  selectableFields: { 'status.replicas': ({ status }) => String(status.replicas ?? 0) },
  strategy: {
    defaults({ metadata, spec }) {
      if (spec.template) defaultPodTemplate(spec.template)
      const labels = spec.template?.metadata.labels
      if (!labels) return
      if (!Object.keys(spec.selector ?? {}).length) spec.selector = { ...labels }
      if (!Object.keys(metadata.labels ?? {}).length) metadata.labels = { ...labels }
    },
    validate: validateController,
    validateStatusUpdate: ({ status }) => validateReplicas(status),
    warnings: (object, old) => (object.spec.template ? templateWarnings(object, old, object.spec.template) : []),
  },
})

function validateController({ spec }: ReplicationController): FieldError[] {
  const { selector = {}, template } = spec
  const out = nonNegative('spec.minReadySeconds', spec.minReadySeconds)
  if (!Object.keys(selector).length) out.push(required('spec.selector'))
  out.push(...nonNegative('spec.replicas', spec.replicas))
  if (!template) return [...out, required('spec.template')]
  const labels = template.metadata.labels ?? {}
  if (!Object.entries(selector).every(([key, value]) => labels[key] === value)) {
    out.push(invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'))
  }
  out.push(...validatePodTemplate(template, 'spec.template'))
  const { restartPolicy, activeDeadlineSeconds } = template.spec
  if (restartPolicy !== 'Always') out.push(notSupported('spec.template.spec.restartPolicy', restartPolicy ?? '', ['Always']))
  if (activeDeadlineSeconds !== undefined) {
    const why = 'activeDeadlineSeconds in ReplicationController is not Supported'
    out.push(forbidden('spec.template.spec.activeDeadlineSeconds', why))
  }
  return out
}

/** Of ReplicationControllers and ReplicaSets. */
export function validateReplicas(status: ReplicationControllerStatus): FieldError[] {
  const out = (['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'observedGeneration'] as const).flatMap((name) =>
    nonNegative(`status.${name}`, status[name]),
  )
  const all = status.replicas ?? 0
  for (const name of ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'] as const) {
    const count = status[name] ?? 0
    if (count > all) out.push(invalid(`status.${name}`, count, 'cannot be greater than status.replicas'))
  }
  const available = status.availableReplicas ?? 0
  if (available > (status.readyReplicas ?? 0)) {
    out.push(invalid('status.availableReplicas', available, 'cannot be greater than readyReplicas'))
  }
  return out
}
