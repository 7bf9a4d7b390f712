import { ageColumn, templateColumns } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { selectorText } from '../../meta/v1/label-selector.ts'
import { humanDuration } from '../../values/duration.ts'
import { dns1123Label } from '../../values/names.ts'
import { defaultPodTemplate } from '../../core/v1/pod-spec/defaults.ts'
import { templateWarnings } from '../../core/v1/pod-spec/warnings.ts'
import {
  CONTROLLER_UID,
  JOB_NAME,
  LEGACY_CONTROLLER_UID,
  LEGACY_JOB_NAME,
  validateJob,
  validateJobStatus,
  validateJobUpdate,
} from './job-validation.ts'
import type { Job, JobSpec } from './types.gen.ts'

const NO_LIMIT = 2 ** 31 - 1

export const job = defineKind<Job>({
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  resource: 'jobs',
  categories: ['all'],
  namespaced: true,
  model: 'io.k8s.api.batch.v1.Job',
  subresources: { status: true },
  columns: [
    { name: 'Status', type: 'string', description: 'How it is doing', value: statusText },
    { name: 'Completions', type: 'string', description: 'Pods that succeeded, of those that must', value: completionsText },
    { name: 'Duration', type: 'string', description: 'Time that it took, or takes so far', value: durationText },
    ageColumn,
    ...templateColumns<Job>(({ spec }) => spec.template.spec.containers),
    { name: 'Selector', type: 'string', priority: 1, description: 'Labels of its pods', value: ({ spec }) => selectorText(spec.selector) },
  ],
  selectableFields: { 'status.successful': ({ status }) => String(status.succeeded ?? 0) },
  strategy: {
    defaults({ metadata, spec }) {
      defaultJobSpec(spec)
      defaultPodTemplate(spec.template)
      takeTemplateLabels({ metadata, spec })
    },
    // The name and uid are known by then.
    prepareForCreate(job) {
      if (!job.spec.manualSelector) generateSelector(job)
      // Upstream gives a default to what it reads, so it shows these at once.
      takeTemplateLabels(job)
    },
    validate: validateJob,
    validateUpdate: validateJobUpdate,
    validateStatusUpdate: ({ status }) => validateJobStatus(status),
    warnings: (object, old) => [...(old ? [] : nameWarnings(object)), ...templateWarnings(object, old, object.spec.template)],
  },
})

function defaultJobSpec(spec: JobSpec): void {
  if (spec.parallelism === undefined) spec.completions ??= 1
  spec.parallelism ??= 1
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : NO_LIMIT
  spec.completionMode ??= 'NonIndexed'
  spec.suspend ??= false
  spec.manualSelector ??= false
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed'
  defaultFailurePolicy(spec)
}

export function defaultFailurePolicy({ podFailurePolicy }: JobSpec): void {
  for (const { onPodConditions } of podFailurePolicy?.rules ?? []) {
    for (const condition of onPodConditions ?? []) condition.status ||= 'True'
  }
}

function takeTemplateLabels({ metadata, spec }: Pick<Job, 'metadata' | 'spec'>): void {
  const { labels } = spec.template.metadata
  if (labels && !Object.keys(metadata.labels ?? {}).length) metadata.labels = { ...labels }
}

/** Labels on the job's pods that no other job's have, and a selector of them. */
function generateSelector({ metadata, spec }: Job): void {
  const { name, uid } = metadata
  const generated = { [LEGACY_JOB_NAME]: name, [JOB_NAME]: name, [LEGACY_CONTROLLER_UID]: uid, [CONTROLLER_UID]: uid }
  spec.template.metadata.labels = { ...generated, ...spec.template.metadata.labels }
  spec.selector = { ...spec.selector, matchLabels: { [CONTROLLER_UID]: uid, ...spec.selector?.matchLabels } }
}

function statusText({ metadata, status }: Job): string {
  const isTrue = (type: string) => status.conditions?.find((condition) => condition.type === type)?.status === 'True'
  if (isTrue('Complete')) return 'Complete'
  if (isTrue('Failed')) return 'Failed'
  if (metadata.deletionTimestamp) return 'Terminating'
  if (isTrue('Suspended')) return 'Suspended'
  return isTrue('FailureTarget') ? 'FailureTarget' : 'Running'
}

function completionsText({ spec, status }: Job): string {
  const done = status.succeeded ?? 0
  if (spec.completions !== undefined) return `${done}/${spec.completions}`
  const parallel = spec.parallelism ?? 0
  return parallel > 1 ? `${done}/1 of ${parallel}` : `${done}/1`
}

function durationText({ status }: Job, now: number): string {
  if (!status.startTime) return ''
  const end = status.completionTime ? Date.parse(status.completionTime) : now
  return humanDuration(end - Date.parse(status.startTime))
}

function nameWarnings({ metadata }: Job): string[] {
  const faults = dns1123Label(metadata.name)
  if (!faults.length) return []
  const why = 'this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended'
  return [`metadata.name: ${why}: [${faults.join(' ')}]`]
}
