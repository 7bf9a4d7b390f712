/** What workloads have in common. Source: kubernetes `apis/apps/validation`. */
import type { Column } from '../../kind.ts'
import { isEmptySelector, selectorMatches, validateLabelSelector } from '../../meta/v1/label-selector.ts'
import type { LabelSelector } from '../../meta/v1/types.gen.ts'
import { nonNegative } from '../../meta/v1/validation.ts'
import { forbidden, invalid, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { intValue, nonNegativeIntOrPercent, notMoreThan100Percent, percentOf } from '../../values/int-or-string.ts'
import type { IntOrString, KubeObject } from '../../meta/v1/object.ts'
import { validatePodTemplate } from '../../core/v1/pod-spec/pod-spec.ts'
import type { PodTemplateSpec } from '../../core/v1/types.gen.ts'

interface Replicated {
  readonly spec: { readonly replicas?: number }
  readonly status: { readonly readyReplicas?: number }
}

export const readyColumn: Column<KubeObject & Replicated> = {
  name: 'Ready',
  type: 'string',
  description: 'Pods that are ready, of those that there should be',
  value: ({ spec, status }) => `${status.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
}

const MISMATCH = '`selector` does not match template `labels`'

/** It must be there and say something. `kind` is what an empty one is invalid for. */
export function validateSelector(selector: LabelSelector | undefined, kind: string): FieldError[] {
  if (!selector) return [required('spec.selector')]
  const out = validateLabelSelector(selector, 'spec.selector')
  return isEmptySelector(selector) ? [...out, invalid('spec.selector', selector, `empty selector is invalid for ${kind}`)] : out
}

/** Pods that the selector does not select would be made without end. */
export function validateTemplateLabels(template: PodTemplateSpec, selector: LabelSelector | undefined): FieldError[] {
  if (!selector || isEmptySelector(selector) || selectorMatches(selector, template.metadata.labels)) return []
  return [invalid('spec.template.metadata.labels', template.metadata.labels ?? null, MISMATCH)]
}

/** Pods of workloads run until they are ended. */
export function validateRunsForever({ spec }: PodTemplateSpec, kind: string): FieldError[] {
  const out: FieldError[] = []
  if (spec.restartPolicy !== 'Always') out.push(notSupported('spec.template.spec.restartPolicy', spec.restartPolicy ?? '', ['Always']))
  if (spec.activeDeadlineSeconds !== undefined) {
    out.push(forbidden('spec.template.spec.activeDeadlineSeconds', `activeDeadlineSeconds in ${kind} is not Supported`))
  }
  return out
}

/** Of ReplicaSets and what makes them. */
export function validateReplicaTemplate(template: PodTemplateSpec, selector: LabelSelector | undefined): FieldError[] {
  return [
    ...validateTemplateLabels(template, selector),
    ...validatePodTemplate(template, 'spec.template'),
    ...validateRunsForever(template, 'ReplicaSet'),
  ]
}

/** How many pods may be missing or extra: a number or a percentage up to 100. */
export function validateShare(field: string, value: IntOrString, { upTo100 = true } = {}): FieldError[] {
  return [...nonNegativeIntOrPercent(field, value), ...(upTo100 ? notMoreThan100Percent(field, value) : [])]
}

export const isZero = (value: IntOrString | undefined) => value === undefined || (percentOf(value) ?? intValue(value)) === 0

/** Replicas of all sorts; none of them can be more than those there are. */
export function validateCounts<T extends string>(
  status: { readonly [name in NoInfer<T>]?: number },
  counts: readonly T[],
  within: readonly NoInfer<T>[],
  all: number | undefined,
): FieldError[] {
  const out = counts.flatMap((name) => nonNegative(`status.${name}`, status[name]))
  for (const name of within) {
    const count = status[name] ?? 0
    if (count > (all ?? 0)) out.push(invalid(`status.${name}`, count, 'cannot be greater than status.replicas'))
  }
  return out
}

export function validateAvailable(available = 0, ready = 0, shown = 'readyReplicas'): FieldError[] {
  return available > ready ? [invalid('status.availableReplicas', available, `cannot be greater than ${shown}`)] : []
}

/** The number that keeps names of children apart only grows. */
export function validateCollisions(count: number | undefined, old: number | undefined): FieldError[] {
  const decremented = old !== undefined && (count === undefined || count < old)
  return decremented ? [invalid('status.collisionCount', count ?? 0, 'cannot be decremented')] : []
}
