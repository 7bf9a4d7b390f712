import { ageColumn, templateColumns } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { nonNegative, validateAnnotations, validateLabels } from '../../meta/v1/validation.ts'
import { semanticEqual } from '../../values/equal.ts'
import { forbidden, invalid, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { nameIsDnsLabel } from '../../values/names.ts'
import { validatePodAnnotations } from '../../core/v1/pod-spec/annotations.ts'
import { defaultClaimSpec, defaultPodTemplate } from '../../core/v1/pod-spec/defaults.ts'
import { templateWarnings } from '../../core/v1/pod-spec/warnings.ts'
import type { StatefulSet, StatefulSetSpec, StatefulSetUpdateStrategy } from './types.gen.ts'
import * as workload from './workload.ts'

const RETENTION = ['Retain', 'Delete']
/** What may change; all else decides who the pods are. */
const MUTABLE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const

export const statefulSet = defineKind<StatefulSet>({
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  resource: 'statefulsets',
  shortNames: ['sts'],
  categories: ['all'],
  namespaced: true,
  model: 'io.k8s.api.apps.v1.StatefulSet',
  validateName: nameIsDnsLabel,
  subresources: { scale: true, status: true },
  columns: [workload.readyColumn, ageColumn, ...templateColumns<StatefulSet>(({ spec }) => spec.template.spec.containers)],
  strategy: {
    defaults({ spec }) {
      spec.podManagementPolicy ??= 'OrderedReady'
      defaultStrategy(spec.updateStrategy)
      const retention = (spec.persistentVolumeClaimRetentionPolicy ??= {})
      retention.whenDeleted ??= 'Retain'
      retention.whenScaled ??= 'Retain'
      spec.replicas ??= 1
      spec.revisionHistoryLimit ??= 10
      defaultPodTemplate(spec.template)
      for (const claim of spec.volumeClaimTemplates ?? []) {
        claim.kind ??= 'PersistentVolumeClaim'
        claim.apiVersion ??= 'v1'
        defaultClaimSpec(claim.spec)
        claim.status.phase ??= 'Pending'
      }
    },
    validate: ({ spec }) => validateSpec(spec),
    validateUpdate({ spec }, old) {
      const others = (of: StatefulSetSpec) => Object.fromEntries(Object.entries(of).filter(([name]) => !isMutable(name)))
      if (semanticEqual(others(spec), others(old.spec))) return []
      const list = MUTABLE.map((name) => `'${name}'`)
      const names = `${list.slice(0, -1).join(', ')} and ${list.at(-1)}`
      return [forbidden('spec', `updates to statefulset spec for fields other than ${names} are forbidden`)]
    },
    validateStatusUpdate: ({ status }, old) => [
      ...workload.validateCounts(status, COUNTS, [...COUNTS].slice(1, 5), status.replicas),
      ...workload.validateAvailable(status.availableReplicas, status.readyReplicas, 'status.readyReplicas'),
      ...workload.validateCollisions(status.collisionCount, old.status.collisionCount),
    ],
    warnings: (object, old) => templateWarnings(object, old, object.spec.template),
  },
})

const isMutable = (name: string) => (MUTABLE as readonly string[]).includes(name)

const COUNTS = [
  'replicas',
  'readyReplicas',
  'currentReplicas',
  'updatedReplicas',
  'availableReplicas',
  'observedGeneration',
  'collisionCount',
] as const

function defaultStrategy(strategy: StatefulSetUpdateStrategy): void {
  if (strategy.type === undefined) {
    strategy.type = 'RollingUpdate'
    strategy.rollingUpdate ??= {}
  }
  if (strategy.type !== 'RollingUpdate' || !strategy.rollingUpdate) return
  strategy.rollingUpdate.partition ??= 0
  strategy.rollingUpdate.maxUnavailable ??= 1
}

function validateSpec(spec: StatefulSetSpec): FieldError[] {
  const { podManagementPolicy: policy, selector, template } = spec
  const out: FieldError[] = []
  if (!policy) out.push(required('spec.podManagementPolicy'))
  else if (policy !== 'OrderedReady' && policy !== 'Parallel') {
    out.push(invalid('spec.podManagementPolicy', policy, "must be 'OrderedReady' or 'Parallel'"))
  }
  out.push(...validateStrategy(spec.updateStrategy, 'spec.updateStrategy'))
  for (const [when, what] of Object.entries(spec.persistentVolumeClaimRetentionPolicy ?? {})) {
    if (!RETENTION.includes(what)) out.push(notSupported(`spec.persistentVolumeClaimRetentionPolicy.${when}`, what, RETENTION))
  }
  const annotations = template.metadata.annotations ?? {}
  return [
    ...out,
    ...nonNegative('spec.replicas', spec.replicas),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...nonNegative('spec.ordinals.start', spec.ordinals?.start),
    ...workload.validateSelector(selector, 'statefulset'),
    ...workload.validateTemplateLabels(template, selector),
    // Not the whole template: its volumes may be claims that are made per pod.
    ...validateLabels(template.metadata.labels, 'spec.template.labels'),
    ...validateAnnotations(annotations, 'spec.template.annotations'),
    ...validatePodAnnotations(annotations, template.spec, 'spec.template.annotations'),
    ...workload.validateRunsForever(template, 'StatefulSet'),
  ]
}

function validateStrategy(strategy: StatefulSetUpdateStrategy, field: string): FieldError[] {
  const { type, rollingUpdate } = strategy
  const at = `${field}.rollingUpdate`
  if (!type) return [required(field)]
  if (type === 'OnDelete') return rollingUpdate ? [invalid(at, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'")] : []
  if (type !== 'RollingUpdate') return [invalid(field, strategy, "must be 'RollingUpdate' or 'OnDelete'")]
  const { partition, maxUnavailable } = rollingUpdate ?? {}
  const out = nonNegative(`${at}.partition`, partition)
  if (maxUnavailable === undefined) return out
  if (workload.isZero(maxUnavailable)) out.push(invalid(`${at}.maxUnavailable`, maxUnavailable, 'cannot be 0'))
  return [...out, ...workload.validateShare(`${at}.maxUnavailable`, maxUnavailable)]
}
