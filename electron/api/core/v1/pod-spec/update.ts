/** What may change in a pod after it was made. Source: kubernetes `core/validation`, `ValidatePodUpdate`. */
import { semanticEqual } from '../../../values/equal.ts'
import { forbidden, invalid, required, type FieldError } from '../../../values/field-error.ts'
import { betweenInclusive } from '../../../values/names.ts'
import { unifiedDiff } from '../../../values/unified-diff.ts'
import type { Container, NodeAffinity, NodeSelectorTerm, Pod, PodSchedulingGate, PodSpec } from '../types.gen.ts'
import { validatePodAnnotationsUpdate } from './annotations.ts'
import { validateOnlyAddedTolerations } from './tolerations.ts'

const MAX_INT32 = 2 ** 31 - 1
const UPDATABLE = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',')
const TERMS = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms'

export function validatePodUpdate(pod: Pod, old: Pod): FieldError[] {
  const out = validatePodAnnotationsUpdate(pod.metadata.annotations ?? {}, old.metadata.annotations ?? {}, 'metadata.annotations')
  for (const list of ['containers', 'initContainers'] as const) {
    const [containers, before] = [pod.spec[list] ?? [], old.spec[list] ?? []]
    if (containers.length !== before.length) return [...out, forbidden(`spec.${list}`, 'pod updates may not add or remove containers')]
    out.push(...validateImages(containers, `spec.${list}`))
  }
  const deadline = validateDeadline(pod.spec.activeDeadlineSeconds, old.spec.activeDeadlineSeconds)
  out.push(...deadline.errors)
  if (deadline.stop) return out
  out.push(...validateOnlyAddedTolerations(pod.spec.tolerations ?? [], old.spec.tolerations ?? [], 'spec.tolerations'))
  out.push(...validateOnlyRemovedGates(pod.spec.schedulingGates ?? [], old.spec.schedulingGates ?? []))
  if (semanticEqual(pod.spec, old.spec)) return out

  const { spec, errors } = withoutAllowedChanges(pod.spec, old.spec)
  out.push(...errors)
  if (!semanticEqual(spec, old.spec)) {
    out.push(
      forbidden('spec', `pod updates may not change fields other than ${UPDATABLE}\n${unifiedDiff(inOrder(old.spec), inOrder(spec))}`),
    )
  }
  return out
}

function validateImages(containers: readonly Container[], field: string): FieldError[] {
  return containers.flatMap(({ image = '' }, i) => [
    ...(image ? [] : [required(`${field}[${i}].image`)]),
    ...(image.trim() === image ? [] : [invalid(`${field}[${i}].image`, image, 'must not have leading or trailing whitespace')]),
  ])
}

/** It may be set, and made shorter. */
function validateDeadline(seconds: number | undefined, old: number | undefined): { errors: FieldError[]; stop: boolean } {
  const field = 'spec.activeDeadlineSeconds'
  if (seconds === undefined) {
    const errors = old === undefined ? [] : [invalid(field, null, 'must not update from a positive integer to nil value')]
    return { errors, stop: false }
  }
  if (seconds < 0 || seconds > MAX_INT32) return { errors: [invalid(field, seconds, betweenInclusive(0, MAX_INT32))], stop: true }
  if (old !== undefined && old < seconds) {
    return { errors: [invalid(field, seconds, 'must be less than or equal to previous value')], stop: true }
  }
  return { errors: [], stop: false }
}

function validateOnlyRemovedGates(gates: readonly PodSchedulingGate[], old: readonly PodSchedulingGate[]): FieldError[] {
  return gates.flatMap(({ name }, i) =>
    old.some((gate) => gate.name === name)
      ? []
      : [forbidden(`spec.schedulingGates[${i}].name`, `only deletion is allowed, but found new scheduling gate '${name}'`)],
  )
}

/** The new spec with what may change put back to what it was; what is left must be equal. */
function withoutAllowedChanges(spec: PodSpec, old: PodSpec): { spec: PodSpec; errors: FieldError[] } {
  const withOldImages = (list: readonly Container[] | undefined, before: readonly Container[] | undefined) =>
    (list ?? []).map((container, i) => ({ ...container, image: before?.[i]?.image ?? '' }))
  const errors: FieldError[] = []
  const munged: Record<string, unknown> & PodSpec = {
    ...spec,
    containers: withOldImages(spec.containers, old.containers),
    initContainers: withOldImages(spec.initContainers, old.initContainers),
  }
  const restore = (name: keyof PodSpec) => Object.assign(munged, { [name]: old[name] })
  restore('activeDeadlineSeconds')
  restore('schedulingGates')
  restore('tolerations')
  if ((old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1) restore('terminationGracePeriodSeconds')
  if (old.schedulingGates?.length) {
    errors.push(...validateSelectorMutation(spec.nodeSelector, old.nodeSelector))
    restore('nodeSelector')
    errors.push(...validateNodeAffinityMutation(spec.affinity?.nodeAffinity, old.affinity?.nodeAffinity))
    const { nodeAffinity: _, ...others } = spec.affinity ?? {}
    const affinity = old.affinity?.nodeAffinity ? { ...others, nodeAffinity: old.affinity.nodeAffinity } : others
    Object.assign(munged, { affinity: Object.keys(affinity).length || (old.affinity && spec.affinity) ? affinity : undefined })
  }
  return { spec: munged, errors }
}

type Labels = Readonly<Record<string, string>>

function validateSelectorMutation(selector: Labels = {}, old: Labels = {}): FieldError[] {
  if (Object.entries(old).every(([key, value]) => selector[key] === value)) return []
  return [invalid('spec.nodeSelector', selector, 'only additions to spec.nodeSelector are allowed (no mutations or deletions)')]
}

function validateNodeAffinityMutation(affinity: NodeAffinity | undefined, old: NodeAffinity | undefined): FieldError[] {
  const before = old?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  const terms = affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  if (before.length && before.length !== terms.length) {
    return [invalid(TERMS, terms, 'no additions/deletions to non-empty NodeSelectorTerms list are allowed')]
  }
  return before.flatMap((term, i) =>
    hasOnlyAdditions(terms[i], term) ? [] : [invalid(`${TERMS}[${i}]`, terms[i], 'only additions are allowed (no mutations or deletions)')],
  )
}

function hasOnlyAdditions(term: NodeSelectorTerm | undefined, old: NodeSelectorTerm): boolean {
  const lists = ['matchExpressions', 'matchFields'] as const
  const before = lists.map((name) => old[name] ?? [])
  const now = lists.map((name) => term?.[name] ?? [])
  if (before.every((list) => !list.length) && now.some((list) => list.length)) return false
  return before.every((list, i) => semanticEqual(list, now[i]?.slice(0, list.length)))
}

/** Members sorted by name, empty ones left out, so that a diff shows changes only. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([, member]) => member !== undefined && !(Array.isArray(member) && !member.length))
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => [name, inOrder(member)]))
}
