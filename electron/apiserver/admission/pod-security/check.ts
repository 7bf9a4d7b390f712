/** One rule of the Pod Security Standards, and what the rules share. */
import type { Container, PodSecurityContext, PodSpec, SecurityContext } from '../../../api/core/v1/types.gen.ts'
import type { Level } from './policy.ts'

/** The part of a pod, or of a template of pods, that the rules look at. */
export interface Judgeable {
  readonly annotations: Readonly<Record<string, string>>
  readonly spec: PodSpec
  /** In this order: init, main and ephemeral ones. */
  readonly containers: readonly JudgeableContainer[]
}

export type JudgeableContainer = Pick<
  Container,
  'name' | 'securityContext' | 'ports' | 'lifecycle' | 'livenessProbe' | 'readinessProbe' | 'startupProbe'
>

export interface Violation {
  /** What is wrong, without naming anything of the pod: pods that have it in common are counted together. */
  readonly reason: string
  /** Which containers or volumes, and what to do. */
  readonly detail: string
}

export type Rule = (pod: Judgeable) => Violation | null

export interface Check {
  readonly id: string
  readonly level: Exclude<Level, 'privileged'>
  /** Ascending; a version holds until the next one. Before the first there is no such check. */
  readonly versions: readonly CheckVersion[]
}

export interface CheckVersion {
  /** Of Kubernetes 1.x. */
  readonly since: number
  readonly rule: Rule
  /** The check of the baseline that this one makes superfluous. */
  readonly instead?: string
}

export function judgeable(annotations: Readonly<Record<string, string>> | undefined, spec: PodSpec): Judgeable {
  const { containers, initContainers = [], ephemeralContainers = [] } = spec
  return { annotations: annotations ?? {}, spec, containers: [...initContainers, ...containers, ...ephemeralContainers] }
}

export const quoted = (texts: readonly string[]): string => texts.map((text) => `"${text}"`).join(', ')

/** Each once, in order. */
export const distinct = (texts: Iterable<string>): string[] => [...new Set(texts)].sort()

export const plural = (word: string, count: number): string => (count === 1 ? word : `${word}s`)

/** `container "a"`, `volumes "a", "b"`. */
export const named = (word: string, names: readonly string[]): string => `${plural(word, names.length)} ${quoted(names)}`

/** Names of the containers for which it holds. */
export function containersWhere({ containers }: Judgeable, holds: (container: JudgeableContainer) => unknown): string[] {
  return containers.filter((container) => holds(container)).map(({ name }) => name)
}

/** Who has such a security context: "pod", `container "a"`, `pod and containers "a", "b"`, or "" for nobody. */
export function setters(pod: Judgeable, holds: (context: SecurityContext & PodSecurityContext) => boolean): string {
  const { securityContext } = pod.spec
  const containers = containersWhere(pod, (container) => container.securityContext && holds(container.securityContext))
  return [
    ...(securityContext && holds(securityContext) ? ['pod'] : []),
    ...(containers.length > 0 ? [named('container', containers)] : []),
  ].join(' and ')
}

/** What the pod and its containers have there, without those that have nothing. */
export function settings<T>({ spec, containers }: Judgeable, read: (context: SecurityContext & PodSecurityContext) => T | undefined): T[] {
  return [spec, ...containers].flatMap(({ securityContext }) => {
    const found = securityContext && read(securityContext)
    return found === undefined ? [] : [found]
  })
}

/** The kubelet of a Windows node knows nothing of what these rules are about, and the API refuses it there. */
export const unlessWindows =
  (rule: Rule): Rule =>
  (pod) =>
    pod.spec.os?.name === 'windows' ? null : rule(pod)

/** Root in a user namespace of its own is nobody outside of it (KEP-127). */
export const unlessOwnUsers =
  (rule: Rule): Rule =>
  (pod) =>
    pod.spec.hostUsers === false ? null : rule(pod)
