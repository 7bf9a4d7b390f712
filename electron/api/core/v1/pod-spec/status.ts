/** What must hold for the status of a pod. Source: kubernetes `core/validation`, `ValidatePodStatusUpdate`. */
import { immutable } from '../../../meta/v1/validation.ts'
import {
  duplicate,
  forbidden,
  invalid,
  invalidEach,
  notSupported,
  required,
  tooLong,
  type FieldError,
} from '../../../values/field-error.ts'
import { ipErrors, isDualStack } from '../../../values/ip.ts'
import { byteLength, nameIsDnsSubdomain, qualifiedName, unixId } from '../../../values/names.ts'
import type { Container, ContainerStatus, Pod, PodSpec, ResourceStatus } from '../types.gen.ts'
import { validatePodAnnotations, validatePodAnnotationsUpdate } from './annotations.ts'

const SYSTEM_CONDITIONS = new Set(['PodScheduled', 'Ready', 'Initialized'])
const HEALTH = ['Healthy', 'Unhealthy', 'Unknown']
const MAX_HEALTH_MESSAGE = 128 * 1024
const MAX_IMAGE_REF = 256
const LISTS = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const

export function validatePodStatusUpdate(pod: Pod, old: Pod): FieldError[] {
  const { status } = pod
  const annotations = pod.metadata.annotations ?? {}
  const out = [
    ...validatePodAnnotationsUpdate(annotations, old.metadata.annotations ?? {}, 'metadata.annotations'),
    ...validatePodAnnotations(annotations, pod.spec, 'metadata.annotations'),
    ...validateConditions(pod),
  ]
  if (pod.spec.nodeName !== old.spec.nodeName) out.push(forbidden('status.nodeName', 'may not be changed directly'))
  const nominated = status.nominatedNodeName
  if (nominated && nominated !== old.status.nominatedNodeName) {
    out.push(...invalidEach('status.nominatedNodeName', nominated, nameIsDnsSubdomain(nominated)))
    if (old.spec.nodeName) out.push(forbidden('status.nominatedNodeName', 'may not be set on pods that are already bound to a node'))
  }
  if ((status.observedGeneration ?? 0) < 0) {
    out.push(invalid('status.observedGeneration', status.observedGeneration, 'must be a non-negative integer'))
  }
  out.push(...immutable('status.qosClass', status.qosClass, old.status.qosClass))
  for (const list of LISTS) out.push(...validateTransitions(status[list] ?? [], old.status[list] ?? [], list, old.spec))
  out.push(...validateClaimStatuses(pod), ...validatePodIps(pod, old), ...validateHostIps(pod, old))
  for (const list of LISTS) {
    const statuses = status[list] ?? []
    out.push(...validateUsers(statuses, pod.spec, `status.${list}`), ...validateVolumes(statuses, `status.${list}`))
  }
  out.push(...validateHealth(status.containerStatuses ?? [], pod.spec.containers ?? [], 'status.containerStatuses'))
  out.push(...validateHealth(status.initContainerStatuses ?? [], pod.spec.initContainers ?? [], 'status.initContainerStatuses'))
  ;(status.ephemeralContainerStatuses ?? []).forEach(({ allocatedResourcesStatus }, i) => {
    if (!allocatedResourcesStatus?.length) return
    const field = `status.ephemeralContainerStatuses[${i}].allocatedResourcesStatus`
    out.push(forbidden(field, 'must not be specified in container status'))
  })
  return out
}

function validateConditions({ status }: Pod): FieldError[] {
  return (status.conditions ?? []).flatMap(({ type, observedGeneration = 0 }, i) => {
    const at = `status.conditions[${i}]`
    return [
      ...(observedGeneration < 0 ? [invalid(`${at}.observedGeneration`, observedGeneration, 'must be a non-negative integer')] : []),
      ...(SYSTEM_CONDITIONS.has(type) ? [] : invalidEach(`${at}.Type`, type, qualifiedName(type))),
    ]
  })
}

/** Whether a container that ended with this code runs again: by its own rules and policy, else by the pod's. */
export function containerShouldRestart(container: Container, spec: PodSpec, exitCode: number): boolean {
  const { restartPolicy: own, restartPolicyRules } = container
  if (own !== undefined) {
    const rule = restartPolicyRules?.find(({ exitCodes }) => {
      const listed = exitCodes?.values?.includes(exitCode) ?? false
      return exitCodes && (exitCodes.operator === 'In' ? listed : exitCodes.operator === 'NotIn' && !listed)
    })
    if (rule?.action === 'Restart') return true
  }
  const policy = own ?? spec.restartPolicy
  return policy === 'OnFailure' ? exitCode !== 0 : policy !== 'Never'
}

/** What has ended and is not to run again stays ended. */
function validateTransitions(
  statuses: readonly ContainerStatus[],
  old: readonly ContainerStatus[],
  list: (typeof LISTS)[number],
  spec: PodSpec,
): FieldError[] {
  const containers = { containerStatuses: spec.containers, initContainerStatuses: spec.initContainers, ephemeralContainerStatuses: [] }[
    list
  ]
  return old.flatMap(({ name, state }, i) => {
    const ended = state.terminated
    if (!ended || !statuses.some((status) => status.name === name && !status.state.terminated)) return []
    const container = containers?.find((each) => each.name === name)
    if (container && containerShouldRestart(container, spec, ended.exitCode)) return []
    return [forbidden(`status.${list}[${i}].state`, 'may not be transitioned to non-terminated state')]
  })
}

function validateClaimStatuses({ spec, status }: Pod): FieldError[] {
  const names = new Set<string>()
  return (status.resourceClaimStatuses ?? []).flatMap(({ name, resourceClaimName }, i) => {
    const at = `status.resourceClaimStatuses[${i}]`
    const out: FieldError[] = []
    if (!spec.resourceClaims?.some((claim) => claim.name === name)) {
      out.push(invalid(`${at}.name`, name, 'must match the name of an entry in `spec.resourceClaims`'))
    }
    if (names.has(name)) out.push(duplicate(`${at}.name`, name))
    names.add(name)
    if (resourceClaimName !== undefined) {
      out.push(...invalidEach(`${at}.resourceClaimName`, resourceClaimName, nameIsDnsSubdomain(resourceClaimName)))
    }
    return out
  })
}

function validatePodIps({ status }: Pod, old: Pod): FieldError[] {
  return validateIps(status.podIPs ?? [], old.status.podIPs ?? [], 'status.podIPs')
}

function validateHostIps({ status }: Pod, old: Pod): FieldError[] {
  const ips = status.hostIPs ?? []
  const first = ips[0]
  if (!first) return []
  const out = status.hostIP === first.ip ? [] : [invalid('status.hostIPs[0].ip', first.ip, 'must be equal to `hostIP`')]
  return [...out, ...validateIps(ips, old.status.hostIPs ?? [], 'status.hostIPs')]
}

interface HasIp {
  readonly ip: string
}

function validateIps(ips: readonly HasIp[], old: readonly HasIp[], field: string): FieldError[] {
  const out = ips.flatMap(({ ip }, i) => (old.some((before) => before.ip === ip) ? [] : ipErrors(`${field}[${i}]`, ip)))
  if (ips.length > 1 && (ips.length > 2 || !isDualStack(ips.map(({ ip }) => ip)))) {
    out.push(invalid(field, ips, 'may specify no more than one IP for each IP family'))
  }
  return out
}

function validateUsers(statuses: readonly ContainerStatus[], { os }: PodSpec, field: string): FieldError[] {
  return statuses.flatMap(({ user }, i) => {
    const linux = user?.linux
    if (!linux) return []
    const at = `${field}[${i}].user.linux`
    if (os?.name === 'windows') return [forbidden(at, 'cannot be set for a windows pod')]
    return [
      ...invalidEach(`${at}.uid`, linux.uid, unixId(linux.uid)),
      ...invalidEach(`${at}.gid`, linux.gid, unixId(linux.gid)),
      ...(linux.supplementalGroups ?? []).flatMap((group, j) => invalidEach(`${at}.supplementalGroups[${j}]`, group, unixId(group))),
    ]
  })
}

function validateVolumes(statuses: readonly ContainerStatus[], field: string): FieldError[] {
  return statuses.flatMap(({ volumeMounts }, i) =>
    (volumeMounts ?? []).flatMap(({ volumeStatus }, j) => {
      const at = `${field}[${i}].volumeMounts[${j}].volumeStatus.image.imageRef`
      const reference = volumeStatus?.image?.imageRef
      if (reference === undefined) return []
      if (reference === '') return [required(at, 'imageRef must not be empty')]
      return reference.length > MAX_IMAGE_REF ? [tooLong(at, MAX_IMAGE_REF)] : []
    }),
  )
}

function validateHealth(statuses: readonly ContainerStatus[], containers: readonly Container[], field: string): FieldError[] {
  return statuses.flatMap(({ name, allocatedResourcesStatus }, i) =>
    (allocatedResourcesStatus ?? []).flatMap((resource, j) =>
      validateResourceHealth(
        resource,
        containers.find((container) => container.name === name),
        `${field}[${i}].allocatedResourcesStatus[${j}]`,
      ),
    ),
  )
}

function validateResourceHealth({ name, resources }: ResourceStatus, container: Container | undefined, at: string): FieldError[] {
  const out: FieldError[] = []
  if (container && name.startsWith('claim:')) {
    const claims = (container.resources.claims ?? []).map((claim) => `claim:${claim.name}${claim.request ? `/${claim.request}` : ''}`)
    const why =
      "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty"
    if (!claims.includes(name)) out.push(invalid(`${at}.name`, name, why))
  } else if (container && !(name in (container.resources.requests ?? {}))) {
    out.push(invalid(`${at}.name`, name, "must match one of the container's resource requests"))
  }
  const ids = new Set<string>()
  resources?.forEach(({ health, message, resourceID }, k) => {
    const each = `${at}.resources[${k}]`
    if (!HEALTH.includes(health ?? '')) out.push(notSupported(`${each}.health`, health ?? '', HEALTH))
    if (message === '') out.push(required(`${each}.message`, 'must be non-empty if specified'))
    else if (message !== undefined && byteLength(message) > MAX_HEALTH_MESSAGE) out.push(tooLong(`${each}.message`, MAX_HEALTH_MESSAGE))
    if (ids.has(resourceID)) out.push(duplicate(`${each}.resourceID`, resourceID))
    ids.add(resourceID)
  })
  return out
}
