/**
 * Checks of jobs, by themselves and in CronJobs. Source: kubernetes `apis/batch/validation`. Policies for failure and success are not
 * looked into, nor are transitions of the status.
 */
import { selectorMatches, validateLabelSelector } from '../../meta/v1/label-selector.ts'
import { immutable, nonNegative } from '../../meta/v1/validation.ts'
import { duplicate, invalid, notSupported, required, tooLong, type FieldError } from '../../values/field-error.ts'
import { dns1123Label } from '../../values/names.ts'
import { validatePodTemplate } from '../../core/v1/pod-spec/pod-spec.ts'
import { domainPrefixedPath } from '../../core/v1/pod-spec/signers.ts'
import type { PodTemplateSpec } from '../../core/v1/types.gen.ts'
import type { Job, JobSpec, JobStatus } from './types.gen.ts'

export const JOB_NAME = 'batch.kubernetes.io/job-name'
export const CONTROLLER_UID = 'batch.kubernetes.io/controller-uid'
export const LEGACY_JOB_NAME = 'job-name'
export const LEGACY_CONTROLLER_UID = 'controller-uid'

const COMPLETION_MODES = ['NonIndexed', 'Indexed']
const REPLACEMENT_POLICIES = ['Failed', 'TerminatingOrFailed']
const MAX_INDEXED = 100_000
const MAX_MANAGED_BY = 63

export function validateJob(job: Job): FieldError[] {
  const { metadata, spec } = job
  const out = [...validateGeneratedSelector(job), ...validateJobSpec(spec, 'spec')]
  if (spec.selector) out.push(...validateLabelSelector(spec.selector, 'spec.selector'))
  else out.push(required('spec.selector'))
  if (!selectorMatches(spec.selector, spec.template.metadata.labels)) {
    const why = '`selector` does not match template `labels`'
    out.push(invalid('spec.template.metadata.labels', spec.template.metadata.labels ?? null, why))
  }
  if (spec.completionMode === 'Indexed' && spec.completions) {
    const last = `${metadata.name}-${spec.completions - 1}`
    if (dns1123Label(last).length) {
      out.push(invalid('metadata.name', metadata.name, `will not able to create pod with invalid DNS label: ${last}`))
    }
  }
  return out
}

/** A selector that was made for the job must be as made: by its name and uid, which no other job has. */
function validateGeneratedSelector({ metadata, spec }: Job): FieldError[] {
  if (spec.manualSelector || !spec.selector) return []
  const { name, uid } = metadata
  const expected = { [LEGACY_CONTROLLER_UID]: uid, [LEGACY_JOB_NAME]: name, [CONTROLLER_UID]: uid, [JOB_NAME]: name }
  const labels = spec.template.metadata.labels ?? {}
  const out = uid ? [] : [required('metadata.uid')]
  for (const [key, value] of Object.entries(expected)) {
    const field = `spec.template.metadata.labels[${key}]`
    if (!(key in labels)) out.push(required(field, `must be '${value}'`))
    else if (labels[key] !== value) out.push(invalid(field, labels, `must be '${value}'`))
  }
  return selectorMatches(spec.selector, expected) ? out : [...out, invalid('spec.selector', spec.selector, '`selector` not auto-generated')]
}

const COUNTS = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const

/** Without the selector, which a job's template does not have yet. */
export function validateJobSpec(spec: JobSpec, field: string): FieldError[] {
  const { managedBy, completionMode: mode, podReplacementPolicy: replacement } = spec
  const out = COUNTS.flatMap((name) => nonNegative(`${field}.${name}`, spec[name]))
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    out.push(required(`${field}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'))
  }
  if (managedBy !== undefined) {
    out.push(...domainPrefixedPath(managedBy, `${field}.managedBy`))
    if (managedBy.length > MAX_MANAGED_BY) out.push(tooLong(`${field}.managedBy`, MAX_MANAGED_BY))
  }
  if (mode !== undefined && !COMPLETION_MODES.includes(mode)) out.push(notSupported(`${field}.completionMode`, mode, COMPLETION_MODES))
  out.push(...(mode === 'Indexed' ? validateIndexed(spec, field) : validateNotIndexed(spec, field)))
  const allowed = spec.podFailurePolicy ? ['Failed'] : REPLACEMENT_POLICIES
  if (replacement !== undefined && !allowed.includes(replacement)) {
    out.push(notSupported(`${field}.podReplacementPolicy`, replacement, allowed))
  }
  return [...out, ...validatePodTemplate(spec.template, `${field}.template`), ...validateRestartPolicy(spec, field)]
}

function validateIndexed(spec: JobSpec, field: string): FieldError[] {
  const { completions, parallelism = 0, maxFailedIndexes: failed } = spec
  const out: FieldError[] = []
  if (completions === undefined) out.push(required(`${field}.completions`, 'when completion mode is Indexed'))
  if (parallelism > MAX_INDEXED) {
    const why = `must be less than or equal to ${MAX_INDEXED} when completion mode is Indexed`
    out.push(invalid(`${field}.parallelism`, parallelism, why))
  }
  if (failed === undefined) return out
  if (completions !== undefined && failed > completions) {
    out.push(invalid(`${field}.maxFailedIndexes`, failed, 'must be less than or equal to completions'))
  }
  if (failed > MAX_INDEXED) out.push(invalid(`${field}.maxFailedIndexes`, failed, `must be less than or equal to ${MAX_INDEXED}`))
  return out
}

function validateNotIndexed(spec: JobSpec, field: string): FieldError[] {
  return (['backoffLimitPerIndex', 'maxFailedIndexes', 'successPolicy'] as const).flatMap((name) =>
    spec[name] === undefined ? [] : [invalid(`${field}.${name}`, spec[name], 'requires indexed completion mode')],
  )
}

function validateRestartPolicy({ template, podFailurePolicy }: JobSpec, field: string): FieldError[] {
  const policy = template.spec.restartPolicy
  const at = `${field}.template.spec.restartPolicy`
  if (!policy || policy === 'Always') return [required(at, 'valid values: "OnFailure", "Never"')]
  if (policy !== 'OnFailure' && policy !== 'Never') return [notSupported(at, policy, ['OnFailure', 'Never'])]
  if (!podFailurePolicy || policy === 'Never') return []
  return [invalid(at, policy, 'only "Never" is supported when podFailurePolicy is specified')]
}

export function validateJobUpdate({ spec }: Job, old: Job): FieldError[] {
  const same = (name: keyof JobSpec) => immutable(`spec.${name}`, spec[name], old.spec[name])
  const unstarted = !!old.spec.suspend && !old.status.startTime
  return [
    ...validateCompletionsUpdate(spec, old.spec),
    ...same('selector'),
    ...immutable('spec.template', spec.template, unstarted ? withPlacementOf(old.spec.template, spec.template) : old.spec.template),
    ...(['completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'] as const).flatMap(same),
  ]
}

/** Indexed jobs grow and shrink with as many pods at a time as there are indexes. */
function validateCompletionsUpdate(spec: JobSpec, old: JobSpec): FieldError[] {
  const { completions, parallelism, completionMode } = spec
  if (completionMode !== 'Indexed') return immutable('spec.completions', completions, old.completions)
  if (completions === old.completions || completions === undefined || completions === parallelism) return []
  return [invalid('spec.completions', completions, 'can only be modified in tandem with spec.parallelism')]
}

/** Where a job that has not begun may run can still change (KEP-2926). */
function withPlacementOf(old: PodTemplateSpec, template: PodTemplateSpec): PodTemplateSpec {
  const { labels, annotations } = template.metadata
  const { nodeSelector, tolerations, schedulingGates, affinity } = template.spec
  const nodeAffinity = affinity?.nodeAffinity
  const merged = { ...old.spec.affinity, nodeAffinity }
  const keep = affinity !== undefined || old.spec.affinity?.podAffinity || old.spec.affinity?.podAntiAffinity
  return {
    metadata: { ...old.metadata, labels, annotations },
    spec: { ...old.spec, nodeSelector, tolerations, schedulingGates, affinity: keep ? merged : undefined },
  }
}

export function validateJobStatus(status: JobStatus): FieldError[] {
  const out = (['active', 'succeeded', 'failed', 'ready', 'terminating'] as const).flatMap((name) =>
    nonNegative(`status.${name}`, status[name]),
  )
  const seen = new Set<string>()
  for (const list of ['succeeded', 'failed'] as const) {
    status.uncountedTerminatedPods?.[list]?.forEach((uid, i) => {
      const at = `status.uncountedTerminatedPods.${list}[${i}]`
      if (!uid) out.push(invalid(at, uid, 'must not be empty'))
      else if (seen.has(uid)) out.push(duplicate(at, uid))
      seen.add(uid)
    })
  }
  return out
}
