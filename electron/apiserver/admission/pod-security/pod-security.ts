/**
 * Pods are as safe as the labels of their namespace ask for; templates of pods are warned of. Sources: KEP-2579, kubernetes
 * `plugin/pkg/admission/security/podsecurity`, k8s.io/pod-security-admission.
 */
import type { Namespace, Pod, PodSpec, PodTemplateSpec } from '../../../api/core/v1/types.gen.ts'
import { groupResource } from '../../../api/kind.ts'
import { goQuote } from '../../../api/values/field-error.ts'
import type { Clock } from '../../../base/clock.ts'
import { forbidden, internal, invalidObject } from '../../../machinery/status.ts'
import type { Lookup } from '../../registry/lookup.ts'
import type { AdmissionRequest } from '../../types.ts'
import type { AdmissionPlugin } from '../admission.ts'
import { NOT_CONFIGURED, type PodSecurityConfiguration } from './configuration.ts'
import { ignoredText } from './exempt-namespace.ts'
import { judgeable, type Judgeable, type Violation } from './check.ts'
import { detailsOf, violations } from './evaluate.ts'
import { existingPodWarnings } from './existing-pods.ts'
import {
  asks,
  asksNothing,
  LABEL_PREFIX,
  levelText,
  policyOf,
  stricter,
  UNASKED,
  type Judged,
  type LevelVersion,
  type Mode,
} from './policy.ts'

const NAMESPACES = { group: '', version: 'v1', resource: 'namespaces' }
const PODS = { group: '', version: 'v1', resource: 'pods' }
/** Of pods: those that do not change what a pod may do. */
const HARMLESS = new Set(['attach', 'binding', 'eviction', 'exec', 'log', 'portforward', 'proxy', 'status'])

type Template = Partial<PodTemplateSpec> | undefined

/** Where the kinds that make pods keep what these are to look like. */
const TEMPLATES: Readonly<Record<string, (object: object) => Template>> = {
  podtemplates: (object) => (object as { template?: Template }).template,
  replicationcontrollers: templateOfSpec,
  'replicasets.apps': templateOfSpec,
  'deployments.apps': templateOfSpec,
  'statefulsets.apps': templateOfSpec,
  'daemonsets.apps': templateOfSpec,
  'jobs.batch': templateOfSpec,
  'cronjobs.batch': (object) => templateOfSpec((object as { spec: { jobTemplate: object } }).spec.jobTemplate),
}

function templateOfSpec(object: object): Template {
  return (object as { spec?: { template?: Template } }).spec?.template
}

export interface PodSecurityOptions {
  readonly lookup: Lookup
  readonly clock: Clock
  readonly configuration?: PodSecurityConfiguration | undefined
}

export function podSecurity({ lookup, clock, configuration = NOT_CONFIGURED }: PodSecurityOptions): AdmissionPlugin {
  const { defaults, exemptions } = configuration
  const exempt = (request: AdmissionRequest): boolean => {
    const why = exemptions.namespaces.includes(request.namespace)
      ? 'namespace'
      : exemptions.usernames.includes(request.user.name)
        ? 'user'
        : null
    if (why) annotate(request, 'exempt', why)
    return why !== null
  }
  const judge = (request: AdmissionRequest, judged: Judged, pod: Judgeable, modes: readonly Mode[]) => {
    if (exemptions.runtimeClasses.includes(pod.spec.runtimeClassName ?? '')) annotate(request, 'exempt', 'runtimeClass')
    else verdict(request, judged, pod, modes)
  }

  const checkPod = (request: AdmissionRequest, judged: Judged | null): void => {
    const { object, old, operation, namespace } = request
    if (!judged) throw internal(new Error(`failed to lookup namespace ${goQuote(namespace)}`))
    if (judged.errors.length === 0 && asksNothing(judged.policy)) {
      annotate(request, 'enforce-policy', levelText(UNASKED.enforce))
      return
    }
    const { metadata, spec } = object as Pod
    if (operation === 'UPDATE' && !runsSomethingElse(spec, (old as Pod).spec)) return
    judge(request, judged, judgeable(metadata.annotations, spec), ['enforce', 'audit', 'warn'])
  }

  const checkTemplate = (request: AdmissionRequest, judged: Judged | null): void => {
    if (!judged || !request.object) return
    const { audit, warn } = judged.policy
    if (judged.errors.length === 0 && !asks(audit) && !asks(warn)) return
    const template = TEMPLATES[groupResource(request.kind)]?.(request.object)
    if (template?.spec) judge(request, judged, judgeable(template.metadata?.annotations, template.spec), ['audit', 'warn'])
  }

  const checkNamespace = async (request: AdmissionRequest): Promise<void> => {
    const { kind, name, object, old } = request
    const labels = object?.metadata.labels ?? {}
    const now = policyOf(labels, defaults)
    const before = old && policyOf(old.metadata.labels, defaults)
    // What was stored once stays valid.
    const known = before && before.errors.length > 0 && JSON.stringify(before.errors) === JSON.stringify(now.errors)
    if (now.errors.length > 0 && !known) throw invalidObject(kind, name, now.errors)
    const isExempt = exemptions.namespaces.includes(name)
    if (!before && !isExempt) return
    if (before && !asksForMore(now.policy.enforce, before.policy.enforce)) return
    if (isExempt) {
      const text = ignoredText(name, now.policy, labels, defaults)
      if (text) request.warn?.(text)
      return
    }
    const pods = await lookup.list<Pod>(PODS, name)
    const judgedPods = pods.filter(({ spec }) => !exemptions.runtimeClasses.includes(spec.runtimeClassName ?? ''))
    for (const text of existingPodWarnings(name, now.policy.enforce, judgedPods, clock)) request.warn?.(text)
  }

  return {
    name: 'PodSecurity',
    handles({ operation, kind, subresource }) {
      if (operation !== 'CREATE' && operation !== 'UPDATE') return false
      const which = groupResource(kind)
      if (which === 'pods') return !HARMLESS.has(subresource)
      return subresource === '' && (which === 'namespaces' || which in TEMPLATES)
    },
    async validate(request) {
      const which = groupResource(request.kind)
      if (which === 'namespaces') return checkNamespace(request)
      if (exempt(request)) return
      const found = await lookup.get<Namespace>(NAMESPACES, '', request.namespace)
      const judged = found && policyOf(found.metadata.labels, defaults)
      if (which === 'pods') checkPod(request, judged)
      else checkTemplate(request, judged)
    },
  }
}

/** Of the same version only a stricter level does, since the others forbid nothing new. */
function asksForMore(now: LevelVersion, before: LevelVersion): boolean {
  if (!asks(now)) return false
  return now.minor !== before.minor || stricter(now.level, before.level)
}

/** What an update may change and the rules could mind: which containers there are, and what they run. */
function runsSomethingElse(now: PodSpec, before: PodSpec): boolean {
  const images = ({ containers, initContainers = [] }: PodSpec) => [containers, initContainers].map((all) => all.map(({ image }) => image))
  if (JSON.stringify(images(now)) !== JSON.stringify(images(before))) return true
  return (now.ephemeralContainers ?? []).some(({ name, image }) => {
    const known = before.ephemeralContainers?.find((one) => one.name === name)
    return !known || known.image !== image
  })
}

function verdict(request: AdmissionRequest, { policy, errors }: Judged, pod: Judgeable, modes: readonly Mode[]): void {
  const known = new Map<string, Violation[]>()
  const found = (mode: Mode): Violation[] => {
    const level = levelText(policy[mode])
    const all = known.get(level) ?? violations(policy[mode], pod)
    known.set(level, all)
    return all
  }
  const text = (mode: Mode) => `PodSecurity ${goQuote(levelText(policy[mode]))}: ${detailsOf(found(mode))}`

  if (errors.length > 0) annotate(request, 'error', `Failed to parse policy: ${aggregate(errors)}`)
  if (modes.includes('enforce')) annotate(request, 'enforce-policy', levelText(policy.enforce))
  if (found('audit').length > 0) annotate(request, 'audit-violations', `would violate ${text('audit')}`)
  if (modes.includes('enforce') && found('enforce').length > 0) {
    throw forbidden(request.kind, request.name, `violates ${text('enforce')}`)
  }
  if (found('warn').length > 0) request.warn?.(`would violate ${text('warn')}`)
}

function annotate(request: AdmissionRequest, key: string, value: string): void {
  request.annotate?.(LABEL_PREFIX + key, value)
}

function aggregate(errors: Judged['errors']): string {
  const lines = errors.map(({ field, message }) => `${field}: ${message}`)
  return lines.length === 1 ? `${lines[0]}` : `[${lines.join(', ')}]`
}
