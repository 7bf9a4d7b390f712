/** Checks of containers of all three sorts. Source: kubernetes `core/validation`. */
import {
  duplicate,
  forbidden,
  invalid,
  invalidEach,
  notFound,
  notSupported,
  required,
  tooMany,
  type FieldError,
} from '../../../values/field-error.ts'
import { dns1123Label, portName, portNumber } from '../../../values/names.ts'
import type { Container, ContainerPort, ContainerResizePolicy, EphemeralContainer, PodSpec } from '../types.gen.ts'
import { validateEnv, validateEnvFrom } from './env.ts'
import { validateVolumeDevices, validateVolumeMounts, type Volumes } from './mounts.ts'
import { validateLifecycle, validateProbes } from './probes.ts'
import { validateContainerResources } from './resources.ts'
import { validateSecurityContext } from './security-context.ts'
import { isSidecar, type AnyContainer } from './visit.ts'
import { validatePullPolicy } from './volumes.ts'

export interface ContainerContext {
  readonly spec: PodSpec
  readonly volumes: Volumes
  /** Names of the pod's resource claims. */
  readonly claims: ReadonlySet<string>
}

const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const MESSAGE_POLICIES = ['File', 'FallbackToLogsOnError']
const RESTART_POLICIES = ['Always', 'Never', 'OnFailure']
const RESTART_ACTIONS = ['Restart']
const EXIT_CODE_OPERATORS = ['In', 'NotIn']
const RESIZE_RESOURCES = ['cpu', 'memory']
const RESIZE_POLICIES = ['NotRequired', 'RestartContainer']

export function validateContainers(containers: readonly Container[], context: ContainerContext, field: string): FieldError[] {
  if (!containers.length) return [required(field)]
  const names = new Set<string>()
  const out = containers.flatMap((container, i) => {
    const at = `${field}[${i}]`
    const own = validateCommon(container, context, at)
    if (names.has(container.name)) own.push(duplicate(`${at}.name`, container.name))
    names.add(container.name)
    return [...own, ...validateRunning(container, context, at), ...validateRestartPolicy(container, at)]
  })
  return [...out, ...hostPortConflicts(containers, field)]
}

export function validateInitContainers(containers: readonly Container[], context: ContainerContext, field: string): FieldError[] {
  const names = new Set((context.spec.containers ?? []).map(({ name }) => name))
  return containers.flatMap((container, i) => {
    const at = `${field}[${i}]`
    const sidecar = isSidecar(container)
    const out = validateCommon(container, context, at)
    out.push(...validateInitRestartPolicy(container, at))
    if (names.has(container.name)) out.push(duplicate(`${at}.name`, container.name))
    else if (container.name) names.add(container.name)
    out.push(...hostPortConflicts([container], field))
    if (sidecar) out.push(...validateRunning(container, context, at))
    else {
      for (const name of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
        if (container[name]) out.push(forbidden(`${at}.${name}`, 'may not be set for init containers without restartPolicy=Always'))
      }
      container.resizePolicy?.forEach(({ restartPolicy }, j) => {
        if (restartPolicy !== 'RestartContainer') return
        const why = "must not be set to 'RestartContainer' for non-sidecar initContainers"
        out.push(invalid(`${at}.resizePolicy[${j}].restartPolicy`, restartPolicy, why))
      })
    }
    return out
  })
}

/** What an ephemeral container may have; everything else is for containers that the pod's work depends on. */
const EPHEMERAL_FIELDS = new Set(
  'name image command args workingDir envFrom env volumeMounts volumeDevices terminationMessagePath terminationMessagePolicy imagePullPolicy securityContext stdin stdinOnce tty targetContainerName'.split(
    ' ',
  ),
)
const EPHEMERAL = 'cannot be set for an Ephemeral Container'

export function validateEphemeralContainers(
  containers: readonly EphemeralContainer[],
  context: ContainerContext,
  field: string,
): FieldError[] {
  const { spec } = context
  const others = new Set([...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ name }) => name))
  const names = new Set(others)
  return containers.flatMap((container, i) => {
    const at = `${field}[${i}]`
    const target = container.targetContainerName
    const out = [...validateCommon(container, context, at), ...validateImageWhitespace(container, at)]
    if (names.has(container.name)) out.push(duplicate(`${at}.name`, container.name))
    names.add(container.name)
    if (target && !others.has(target)) out.push(notFound(`${at}.targetContainerName`, target))
    for (const [name, value] of Object.entries(container)) {
      if (!EPHEMERAL_FIELDS.has(name) && isSet(value)) out.push(forbidden(`${at}.${name}`, EPHEMERAL))
    }
    container.volumeMounts?.forEach((mount, j) => {
      for (const name of ['subPath', 'subPathExpr'] as const) {
        if (mount[name]) out.push(forbidden(`${at}.volumeMounts[${j}].${name}`, EPHEMERAL))
      }
    })
    return out
  })
}

/** An empty `resources` is what decoding fills in. */
function isSet(value: unknown): boolean {
  if (value === undefined || value === null) return false
  return typeof value !== 'object' || Object.keys(value).length > 0
}

/** In pods, not in templates, where " " has stood for an image to be filled in. */
export function validateImageWhitespace({ image = '' }: AnyContainer, field: string): FieldError[] {
  return image.trim() === image ? [] : [invalid(`${field}.image`, image, 'must not have leading or trailing whitespace')]
}

function validateCommon(container: AnyContainer, { spec, volumes, claims }: ContainerContext, field: string): FieldError[] {
  const { name, image, terminationMessagePolicy: policy } = container
  const out = name ? invalidEach(`${field}.name`, name, dns1123Label(name)) : [required(`${field}.name`)]
  if (!image) out.push(required(`${field}.image`))
  if (!policy) out.push(required(`${field}.terminationMessagePolicy`))
  else if (!MESSAGE_POLICIES.includes(policy)) out.push(notSupported(`${field}.terminationMessagePolicy`, policy, MESSAGE_POLICIES))
  return [
    ...out,
    ...validatePorts(container.ports ?? [], `${field}.ports`),
    ...validateEnv(container.env ?? [], `${field}.env`),
    ...validateEnvFrom(container.envFrom ?? [], `${field}.envFrom`),
    ...validateVolumeMounts(container, volumes, `${field}.volumeMounts`),
    ...validateVolumeDevices(container, volumes, `${field}.volumeDevices`),
    ...validatePullPolicy(container.imagePullPolicy, `${field}.imagePullPolicy`),
    ...validateContainerResources(container.resources, claims, `${field}.resources`),
    ...validateResizePolicy(container.resizePolicy ?? [], `${field}.resizePolicy`, spec.restartPolicy),
    ...(container.securityContext
      ? validateSecurityContext(container.securityContext, spec.hostUsers !== false, `${field}.securityContext`)
      : []),
  ]
}

function validateRunning(container: Container, { spec }: ContainerContext, field: string): FieldError[] {
  const grace = spec.terminationGracePeriodSeconds
  const { lifecycle } = container
  return [
    ...(lifecycle ? validateLifecycle(lifecycle, grace, `${field}.lifecycle`, spec.os) : []),
    ...validateProbes(container, grace, field),
  ]
}

function validatePorts(ports: readonly ContainerPort[], field: string): FieldError[] {
  const names = new Set<string>()
  return ports.flatMap(({ name, containerPort, hostPort, protocol }, i) => {
    const at = `${field}[${i}]`
    const out: FieldError[] = []
    if (name) {
      const faults = portName(name)
      out.push(...invalidEach(`${at}.name`, name, faults))
      if (!faults.length && names.has(name)) out.push(duplicate(`${at}.name`, name))
      if (!faults.length) names.add(name)
    }
    if (!containerPort) out.push(required(`${at}.containerPort`))
    else out.push(...invalidEach(`${at}.containerPort`, containerPort, portNumber(containerPort)))
    if (hostPort) out.push(...invalidEach(`${at}.hostPort`, hostPort, portNumber(hostPort)))
    if (!protocol) out.push(required(`${at}.protocol`))
    else if (!PROTOCOLS.includes(protocol)) out.push(notSupported(`${at}.protocol`, protocol, PROTOCOLS))
    return out
  })
}

function hostPortConflicts(containers: readonly Container[], field: string): FieldError[] {
  const taken = new Set<string>()
  return containers.flatMap(({ ports }, i) =>
    (ports ?? []).flatMap(({ protocol, hostIP, hostPort }, j) => {
      if (!hostPort) return []
      const key = `${protocol}/${hostIP ?? ''}/${hostPort}`
      const conflict = taken.has(key)
      taken.add(key)
      return conflict ? [duplicate(`${field}[${i}].ports[${j}].hostPort`, key)] : []
    }),
  )
}

function validateInitRestartPolicy(container: Container, field: string): FieldError[] {
  if (container.restartPolicy !== 'Always') return validateRestartPolicy(container, field)
  const why = 'restartPolicyRules are not allowed for init containers with restart policy Always'
  return container.restartPolicyRules?.length ? [forbidden(`${field}.restartPolicyRules`, why)] : []
}

function validateRestartPolicy({ restartPolicy: policy, restartPolicyRules: rules = [] }: Container, field: string): FieldError[] {
  const out: FieldError[] = []
  if (policy === undefined) {
    if (rules.length) out.push(required(`${field}.restartPolicy`, 'must specify restartPolicy when restart rules are used'))
  } else if (!RESTART_POLICIES.includes(policy)) out.push(notSupported(`${field}.restartPolicy`, policy, RESTART_POLICIES))
  if (rules.length > 20) out.push(tooMany(`${field}.restartPolicyRules`, rules.length, 20))
  rules.forEach(({ action, exitCodes }, i) => {
    const at = `${field}.restartPolicyRules[${i}]`
    if (!RESTART_ACTIONS.includes(action)) out.push(notSupported(`${at}.action`, action, RESTART_ACTIONS))
    if (!exitCodes) {
      out.push(required(`${at}.exitCodes`, 'must be specified'))
      return
    }
    const { operator, values = [] } = exitCodes
    if (!EXIT_CODE_OPERATORS.includes(operator)) out.push(notSupported(`${at}.exitCodes.operator`, operator, EXIT_CODE_OPERATORS))
    if (values.length > 255) out.push(tooMany(`${at}.exitCodes.values`, values.length, 255))
  })
  return out
}

function validateResizePolicy(policies: readonly ContainerResizePolicy[], field: string, podPolicy: string | undefined): FieldError[] {
  const seen = new Set<string>()
  return policies.flatMap(({ resourceName, restartPolicy }, i) => {
    const out: FieldError[] = []
    if (seen.has(resourceName)) out.push(duplicate(`${field}[${i}]`, resourceName))
    seen.add(resourceName)
    if (!resourceName) out.push(required(field))
    else if (!RESIZE_RESOURCES.includes(resourceName)) out.push(notSupported(field, resourceName, RESIZE_RESOURCES))
    if (!restartPolicy) out.push(required(field))
    else if (!RESIZE_POLICIES.includes(restartPolicy)) out.push(notSupported(field, restartPolicy, RESIZE_POLICIES))
    if (podPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      out.push(invalid(field, restartPolicy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'"))
    }
    return out
  })
}
