/** Checks of a pod's spec, alone or in a template. Source: kubernetes `core/validation`, `ValidatePodSpec`. */
import { validateAnnotations, validateLabels } from '../../../meta/v1/validation.ts'
import { duplicate, forbidden, invalid, invalidEach, notSupported, required, type FieldError } from '../../../values/field-error.ts'
import { betweenInclusive, dns1123Label, nameIsDnsSubdomain, qualifiedName } from '../../../values/names.ts'
import type { PodResourceClaim, PodSchedulingGate, PodSpec, PodTemplateSpec } from '../types.gen.ts'
import { validateAffinity, validateTopologySpread } from './affinity.ts'
import { validatePodAnnotations, validateProfileAnnotations } from './annotations.ts'
import { validateContainers, validateEphemeralContainers, validateInitContainers } from './containers.ts'
import { validateDns, validateHostAliases, validateHostnameOverride } from './dns.ts'
import { validateFileKeyVolumes } from './env.ts'
import { validateOverhead, validatePodResources } from './resources.ts'
import { validateHostUsers, validatePodSecurityContext } from './security-context.ts'
import { validateTolerations } from './tolerations.ts'
import { validateVolumes } from './volumes.ts'
import { validateHostProcess, validateOs } from './windows.ts'

const MAX_INT32 = 2 ** 31 - 1
const RESTART_POLICIES = ['Always', 'OnFailure', 'Never']
export const PREEMPTION_POLICIES: readonly string[] = ['PreemptLowerPriority', 'Never']

export interface PodContext {
  /** Of a real pod; absent in a template. */
  readonly pod?: { readonly name: string; readonly isMirror: boolean }
}

export function validatePodSpec(spec: PodSpec, field: string, { pod }: PodContext = {}): FieldError[] {
  const out: FieldError[] = []
  if (spec.terminationGracePeriodSeconds === undefined) out.push(required(`${field}.terminationGracePeriodSeconds`))
  const volumes = validateVolumes(spec.volumes ?? [], pod?.name ?? '', `${field}.volumes`)
  const claims = new Set((spec.resourceClaims ?? []).map(({ name }) => name).filter(Boolean))
  const context = { spec, volumes: volumes.valid, claims }
  out.push(
    ...volumes.errors,
    ...validateResourceClaims(spec.resourceClaims ?? [], pod?.isMirror ?? false, `${field}.resourceClaims`),
    ...validateContainers(spec.containers ?? [], context, `${field}.containers`),
    ...validateInitContainers(spec.initContainers ?? [], context, `${field}.initContainers`),
    ...validateEphemeralContainers(spec.ephemeralContainers ?? [], context, `${field}.ephemeralContainers`),
    ...validatePodResources(spec, claims, field),
    ...validateHostPorts(spec, pod !== undefined, `${field}.containers`),
    ...validateRestartPolicy(spec.restartPolicy, `${field}.restartPolicy`),
    ...validateDns(spec, field),
    ...validateLabels(spec.nodeSelector, `${field}.nodeSelector`),
    ...validatePodSecurityContext(spec, field),
    ...(spec.affinity ? validateAffinity(spec.affinity, `${field}.affinity`) : []),
    ...(spec.readinessGates ?? []).flatMap(({ conditionType }, i) =>
      invalidEach(`${field}.readinessGates[${i}].conditionType`, conditionType, qualifiedName(conditionType)),
    ),
    ...validateSchedulingGates(spec.schedulingGates ?? [], `${field}.schedulingGates`),
    ...validateTopologySpread(spec.topologySpreadConstraints ?? [], `${field}.topologySpreadConstraints`),
    ...validateHostProcess(spec, field),
    ...validateHostUsers(spec, field),
    ...validateHostnameOverride(spec, field),
    ...validateNames(spec, field),
    ...validateDeadline(spec.activeDeadlineSeconds, `${field}.activeDeadlineSeconds`),
    ...validateTolerations(spec.tolerations ?? [], `${field}.tolerations`),
    ...validateHostAliases(spec.hostAliases ?? [], `${field}.hostAliases`),
    ...validatePreemptionPolicy(spec.preemptionPolicy, `${field}.preemptionPolicy`),
    ...(spec.overhead ? validateOverhead(spec.overhead, `${field}.overhead`) : []),
    ...validateOs(spec, field),
    ...validateFileKeyVolumes(spec, field),
  )
  return out
}

/** Names of other objects, and of the pod in DNS. */
function validateNames(spec: PodSpec, field: string): FieldError[] {
  const check = (
    name: 'serviceAccountName' | 'nodeName' | 'priorityClassName' | 'hostname' | 'subdomain',
    rule: (value: string) => string[],
  ) => {
    const value = spec[name]
    return value ? invalidEach(`${field}.${name}`, value, rule(value)) : []
  }
  const runtime = spec.runtimeClassName
  return [
    ...check('serviceAccountName', nameIsDnsSubdomain),
    ...check('nodeName', nameIsDnsSubdomain),
    ...check('hostname', dns1123Label),
    ...check('subdomain', dns1123Label),
    ...check('priorityClassName', nameIsDnsSubdomain),
    ...(runtime === undefined ? [] : invalidEach(`${field}.runtimeClassName`, runtime, nameIsDnsSubdomain(runtime))),
  ]
}

function validateResourceClaims(claims: readonly PodResourceClaim[], isMirror: boolean, field: string): FieldError[] {
  const names = new Set<string>()
  return claims.flatMap((claim, i) => {
    const at = `${field}[${i}]`
    if (isMirror) return [forbidden('', 'static pods do not support resource claims')]
    const { name, resourceClaimName, resourceClaimTemplateName } = claim
    const out: FieldError[] = []
    if (!name) out.push(required(`${at}.name`))
    else if (names.has(name)) out.push(duplicate(`${at}.name`, name))
    else out.push(...invalidEach(`${at}.name`, name, dns1123Label(name)))
    names.add(name)
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      out.push(invalid(at, claim, 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'))
    }
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      out.push(invalid(at, claim, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'))
    }
    for (const [key, value] of Object.entries({ resourceClaimName, resourceClaimTemplateName })) {
      if (value !== undefined) out.push(...invalidEach(`${at}.${key}`, value, nameIsDnsSubdomain(value)))
    }
    return out
  })
}

/** On the host's network a container's port is the host's. In a template 0 still stands for that. */
function validateHostPorts(spec: PodSpec, isPod: boolean, field: string): FieldError[] {
  if (!spec.hostNetwork) return []
  return (spec.containers ?? []).flatMap(({ ports }, i) =>
    (ports ?? []).flatMap(({ hostPort = 0, containerPort }, j) =>
      (isPod || hostPort !== 0) && hostPort !== containerPort
        ? [invalid(`${field}[${i}].ports[${j}].hostPort`, hostPort, 'must match `containerPort` when `hostNetwork` is true')]
        : [],
    ),
  )
}

function validateRestartPolicy(policy: string | undefined, field: string): FieldError[] {
  if (!policy) return [required(field)]
  return RESTART_POLICIES.includes(policy) ? [] : [notSupported(field, policy, RESTART_POLICIES)]
}

export function validatePreemptionPolicy(policy: string | undefined, field: string): FieldError[] {
  if (policy === undefined) return []
  if (policy === '') return [required(field)]
  return PREEMPTION_POLICIES.includes(policy) ? [] : [notSupported(field, policy, PREEMPTION_POLICIES)]
}

function validateDeadline(seconds: number | undefined, field: string): FieldError[] {
  const fits = seconds === undefined || (seconds >= 1 && seconds <= MAX_INT32)
  return fits ? [] : [invalid(field, seconds, betweenInclusive(1, MAX_INT32))]
}

function validateSchedulingGates(gates: readonly PodSchedulingGate[], field: string): FieldError[] {
  return gates.flatMap(({ name }, i) => [
    ...invalidEach(`${field}[${i}]`, name, qualifiedName(name)),
    ...(gates.findIndex((gate) => gate.name === name) < i ? [duplicate(`${field}[${i}]`, name)] : []),
  ])
}

/** A template as it is in Deployments, Jobs and the like. */
export function validatePodTemplate(template: PodTemplateSpec, field: string): FieldError[] {
  const { labels, annotations = {} } = template.metadata
  const out = [
    ...validateLabels(labels, `${field}.labels`),
    ...validateAnnotations(annotations, `${field}.annotations`),
    ...validatePodAnnotations(annotations, template.spec, `${field}.annotations`),
    ...validatePodSpec(template.spec, `${field}.spec`),
    ...validateProfileAnnotations(annotations, template.spec, `${field}.spec`),
  ]
  if (template.spec.ephemeralContainers?.length) {
    out.push(forbidden(`${field}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'))
  }
  return out
}
