/** What becomes of a pod as it is made, reported on, and deleted. Source: kubernetes `registry/core/pod/strategy.go`. */
import type { LabelSelector } from '../../../meta/v1/types.gen.ts'
import { semanticEqual } from '../../../values/equal.ts'
import { qosClass } from '../pod-resources.ts'
import type { AppArmorProfile, Pod, PodAffinity, PodAffinityTerm } from '../types.gen.ts'
import { APP_ARMOR } from './annotations.ts'
import { containersOf } from './visit.ts'

/** The creation time, where the server has set it already, dates the first condition. */
export function prepareNewPod(pod: Pod): void {
  const { spec, metadata } = pod
  pod.status = { phase: 'Pending', qosClass: qosClass(pod) }
  delete spec.schedulingGroup
  if (spec.schedulingGates?.length) {
    pod.status.conditions = [
      {
        ...(metadata.creationTimestamp ? { lastTransitionTime: metadata.creationTimestamp } : {}),
        message: 'Scheduling is blocked due to non-empty scheduling gates',
        reason: 'SchedulingGated',
        status: 'False',
        type: 'PodScheduled',
      },
    ]
  }
  const labels = metadata.labels ?? {}
  for (const affinity of [spec.affinity?.podAffinity, spec.affinity?.podAntiAffinity]) {
    for (const term of termsOf(affinity)) {
      mergeKeys(term.labelSelector, term.matchLabelKeys, 'In', labels)
      mergeKeys(term.labelSelector, term.mismatchLabelKeys, 'NotIn', labels)
    }
  }
  for (const constraint of spec.topologySpreadConstraints ?? [])
    mergeKeys(constraint.labelSelector, constraint.matchLabelKeys, 'In', labels)
  takeOverAppArmor(pod)
}

function termsOf(affinity: PodAffinity | undefined): PodAffinityTerm[] {
  const preferred = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  return [...preferred.map(({ podAffinityTerm }) => podAffinityTerm), ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [])]
}

/** No selector at all selects nothing, and stays so. */
function mergeKeys(
  selector: LabelSelector | undefined,
  keys: readonly string[] | undefined,
  operator: 'In' | 'NotIn',
  labels: Readonly<Record<string, string>>,
): void {
  for (const key of selector ? (keys ?? []) : []) {
    const value = labels[key]
    if (value !== undefined && selector) (selector.matchExpressions ??= []).push({ key, operator, values: [value] })
  }
}

/** The annotations that came before `appArmorProfile` become that field. */
function takeOverAppArmor({ metadata, spec }: Pod): void {
  if (spec.os?.name === 'windows') return
  for (const { container } of containersOf(spec, '')) {
    const annotation = metadata.annotations?.[`${APP_ARMOR}${container.name}`]
    if (annotation === undefined || container.securityContext?.appArmorProfile) continue
    const profile = appArmorOf(annotation)
    if (!profile || semanticEqual(profile, spec.securityContext?.appArmorProfile)) continue
    container.securityContext = { ...container.securityContext, appArmorProfile: profile }
  }
}

const LOCALHOST = 'localhost/'

function appArmorOf(annotation: string): AppArmorProfile | null {
  if (annotation === 'unconfined') return { type: 'Unconfined' }
  if (annotation === 'runtime/default') return { type: 'RuntimeDefault' }
  const localhostProfile = annotation.startsWith(LOCALHOST) ? annotation.slice(LOCALHOST.length) : ''
  const isSound = localhostProfile !== '' && localhostProfile.trim() === localhostProfile && localhostProfile.length <= 4095
  return isSound ? { localhostProfile, type: 'Localhost' } : null
}

/** What a kubelet reports must not lose what it does not know of. */
export function preparePodStatus({ metadata, status }: Pod, old: Pod): void {
  if (old.metadata.ownerReferences) metadata.ownerReferences = structuredClone(old.metadata.ownerReferences)
  else delete metadata.ownerReferences
  if (old.status.qosClass) status.qosClass ??= old.status.qosClass
  if (old.status.observedGeneration) status.observedGeneration ??= old.status.observedGeneration
  const before = Map.groupBy(old.status.conditions ?? [], ({ type }) => type)
  for (const condition of status.conditions ?? []) {
    const { observedGeneration } = before.get(condition.type)?.shift() ?? {}
    if (observedGeneration) condition.observedGeneration ??= observedGeneration
  }
}

/** Seconds until a deleted pod must be gone; what runs nowhere, or has ended, goes at once. */
export function podGracePeriod({ spec, status }: Pod, asked: number | undefined): number {
  if (!spec.nodeName || status.phase === 'Failed' || status.phase === 'Succeeded') return 0
  const seconds = asked ?? spec.terminationGracePeriodSeconds ?? 0
  return seconds < 0 ? 1 : seconds
}
