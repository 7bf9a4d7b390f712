/** Checks of probes and lifecycle hooks. Source: kubernetes `core/validation`. */
import { forbidden, invalid, invalidEach, notSupported, required, type FieldError } from '../../../values/field-error.ts'
import { portNumberOrName } from '../../../values/int-or-string.ts'
import { httpHeaderName } from '../../../values/names.ts'
import { nonNegative } from '../../../meta/v1/validation.ts'
import type { ExecAction, GRPCAction, HTTPGetAction, Lifecycle, PodOS, Probe, SleepAction, TCPSocketAction } from '../types.gen.ts'
import type { AnyContainer } from './visit.ts'

interface Handler {
  readonly exec?: ExecAction
  readonly httpGet?: HTTPGetAction
  readonly tcpSocket?: TCPSocketAction
  readonly grpc?: GRPCAction
  readonly sleep?: SleepAction
}

const SCHEMES = ['HTTP', 'HTTPS']
const COUNTERS = ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'] as const

/** The three probes of a container that may have them. `grace` is the pod's terminationGracePeriodSeconds. */
export function validateProbes(container: AnyContainer, grace: number | undefined, field: string): FieldError[] {
  const { livenessProbe, readinessProbe, startupProbe } = container
  return [
    ...(livenessProbe ? validateOnceProbe(livenessProbe, grace, `${field}.livenessProbe`) : []),
    ...(readinessProbe ? validateReadinessProbe(readinessProbe, grace, `${field}.readinessProbe`) : []),
    ...(startupProbe ? validateOnceProbe(startupProbe, grace, `${field}.startupProbe`) : []),
  ]
}

function validateOnceProbe(probe: Probe, grace: number | undefined, field: string): FieldError[] {
  const out = validateProbe(probe, grace, field)
  if (probe.successThreshold !== 1) out.push(invalid(`${field}.successThreshold`, probe.successThreshold ?? 0, 'must be 1'))
  return out
}

function validateReadinessProbe(probe: Probe, grace: number | undefined, field: string): FieldError[] {
  const seconds = probe.terminationGracePeriodSeconds
  const out = validateProbe(probe, grace, field)
  if (seconds !== undefined) out.push(invalid(`${field}.terminationGracePeriodSeconds`, seconds, 'must not be set for readinessProbes'))
  return out
}

function validateProbe(probe: Probe, grace: number | undefined, field: string): FieldError[] {
  const seconds = probe.terminationGracePeriodSeconds
  const out = validateHandler(probe, grace, field)
  for (const counter of COUNTERS) out.push(...nonNegative(`${field}.${counter}`, probe[counter]))
  if (seconds !== undefined && seconds <= 0) out.push(invalid(`${field}.terminationGracePeriodSeconds`, seconds, 'must be greater than 0'))
  return out
}

function validateHandler(handler: Handler, grace: number | undefined, field: string): FieldError[] {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler
  const checks: readonly (readonly [string, (() => FieldError[]) | undefined])[] = [
    ['exec', exec && (() => (exec.command?.length ? [] : [required(`${field}.exec.command`)]))],
    ['httpGet', httpGet && (() => validateHttpGet(httpGet, `${field}.httpGet`))],
    ['tcpSocket', tcpSocket && (() => portNumberOrName(`${field}.tcpSocket.port`, tcpSocket.port))],
    ['grpc', grpc && (() => portNumberOrName(`${field}.grpc.port`, grpc.port))],
    ['sleep', sleep && (() => validateSleep(sleep, grace, `${field}.sleep`))],
  ]
  const [first, ...more] = checks.filter(([, check]) => check)
  if (!first) return [required(field, 'must specify a handler type')]
  return [...(first[1]?.() ?? []), ...more.map(([name]) => forbidden(`${field}.${name}`, 'may not specify more than 1 handler type'))]
}

function validateHttpGet({ path, port, scheme, httpHeaders }: HTTPGetAction, field: string): FieldError[] {
  const out = path ? [] : [required(`${field}.path`)]
  out.push(...portNumberOrName(`${field}.port`, port))
  if (!SCHEMES.includes(scheme ?? '')) out.push(notSupported(`${field}.scheme`, scheme ?? '', SCHEMES))
  for (const { name } of httpHeaders ?? []) out.push(...invalidEach(`${field}.httpHeaders`, name, httpHeaderName(name)))
  return out
}

function validateSleep({ seconds }: SleepAction, grace: number | undefined, field: string): FieldError[] {
  if (grace === undefined || (seconds >= 0 && seconds <= grace)) return []
  return [invalid(field, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${grace})`)]
}

export function validateLifecycle(lifecycle: Lifecycle, grace: number | undefined, field: string, os: PodOS | undefined): FieldError[] {
  const { postStart, preStop, stopSignal } = lifecycle
  return [
    ...(postStart ? validateHandler(postStart, grace, `${field}.postStart`) : []),
    ...(preStop ? validateHandler(preStop, grace, `${field}.preStop`) : []),
    ...(stopSignal ? validateStopSignal(stopSignal, `${field}.stopSignal`, os) : []),
  ]
}

function validateStopSignal(signal: string, field: string, os: PodOS | undefined): FieldError[] {
  if (!os) return [forbidden(field, 'may not be set for containers with empty `spec.os.name`')]
  const supported = os.name === 'windows' ? WINDOWS_SIGNALS : os.name === 'linux' ? LINUX_SIGNALS : null
  return !supported || supported.includes(signal) ? [] : [notSupported(field, signal, supported)]
}

const WINDOWS_SIGNALS = ['SIGKILL', 'SIGTERM']
const NAMED =
  'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX'
const LINUX_SIGNALS = [
  ...NAMED.split(' ').map((name) => `SIG${name}`),
  ...Array.from({ length: 15 }, (_, i) => `SIGRTMIN+${i + 1}`),
  ...Array.from({ length: 14 }, (_, i) => `SIGRTMAX-${i + 1}`),
].sort()
