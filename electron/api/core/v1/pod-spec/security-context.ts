/** Checks of what containers may do. Source: kubernetes `core/validation`. */
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
import { byteLength, unixId } from '../../../values/names.ts'
import type { AppArmorProfile, PodSpec, SeccompProfile, SecurityContext, Sysctl } from '../types.gen.ts'
import { localDescendingPath } from './paths.ts'
import { validateWindowsOptions } from './windows.ts'

const PROC_MOUNTS = ['Default', 'Unmasked']
const PROFILE_TYPES = ['Localhost', 'RuntimeDefault', 'Unconfined']
const FS_GROUP_POLICIES = ['Always', 'OnRootMismatch']
const GROUPS_POLICIES = ['Merge', 'Strict']
const SELINUX_POLICIES = ['MountOption', 'Recursive']
const SYSCTL_SEGMENT = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const SYSCTL = `^(${SYSCTL_SEGMENT}[\\./])*${SYSCTL_SEGMENT}$`
const SYSCTL_PATTERN = new RegExp(SYSCTL)
const MAX_SYSCTL = 253
const MAX_PATH = 4095

export function validateSecurityContext(context: SecurityContext, hostUsers: boolean, field: string): FieldError[] {
  const { runAsUser, runAsGroup, procMount, seccompProfile, windowsOptions, appArmorProfile } = context
  const out = [...validateId(runAsUser, `${field}.runAsUser`), ...validateId(runAsGroup, `${field}.runAsGroup`)]
  if (procMount !== undefined) {
    if (!PROC_MOUNTS.includes(procMount)) out.push(notSupported(`${field}.procMount`, procMount, PROC_MOUNTS))
    if (hostUsers && procMount === 'Unmasked')
      out.push(invalid(`${field}.procMount`, procMount, '`hostUsers` must be false to use `Unmasked`'))
  }
  if (seccompProfile) out.push(...validateSeccompProfile(seccompProfile, `${field}.seccompProfile`))
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged) {
      out.push(invalid(field, context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'))
    }
    if (context.capabilities?.add?.includes('CAP_SYS_ADMIN')) {
      out.push(invalid(field, context, 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'))
    }
  }
  if (windowsOptions) out.push(...validateWindowsOptions(windowsOptions, `${field}.windowsOptions`))
  return [...out, ...(appArmorProfile ? validateAppArmorProfile(appArmorProfile, `${field}.appArmorProfile`) : [])]
}

function validateId(id: number | undefined, field: string): FieldError[] {
  return id === undefined ? [] : invalidEach(field, id, unixId(id))
}

/** `field` is the path of the spec. */
export function validatePodSecurityContext(spec: PodSpec, field: string): FieldError[] {
  const context = spec.securityContext
  if (!context) return []
  const at = `${field}.securityContext`
  const { fsGroupChangePolicy, supplementalGroupsPolicy, seLinuxChangePolicy, seccompProfile, windowsOptions, appArmorProfile } = context
  const out = [
    ...validateId(context.fsGroup, `${at}.fsGroup`),
    ...validateId(context.runAsUser, `${at}.runAsUser`),
    ...validateId(context.runAsGroup, `${at}.runAsGroup`),
    ...(context.supplementalGroups ?? []).flatMap((group, i) => validateId(group, `${at}.supplementalGroups[${i}]`)),
  ]
  if (spec.shareProcessNamespace && spec.hostPID) {
    out.push(invalid(`${at}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled'))
  }
  out.push(...validateSysctls(context.sysctls ?? [], spec, `${at}.sysctls`))
  out.push(...oneOf(fsGroupChangePolicy, FS_GROUP_POLICIES, `${at}.fsGroupChangePolicy`))
  if (seccompProfile) out.push(...validateSeccompProfile(seccompProfile, `${at}.seccompProfile`))
  if (windowsOptions) out.push(...validateWindowsOptions(windowsOptions, `${at}.windowsOptions`))
  if (appArmorProfile) out.push(...validateAppArmorProfile(appArmorProfile, `${at}.appArmorProfile`))
  out.push(...oneOf(supplementalGroupsPolicy, GROUPS_POLICIES, `${at}.supplementalGroupsPolicy`))
  return [...out, ...oneOf(seLinuxChangePolicy, SELINUX_POLICIES, `${at}.seLinuxChangePolicy`)]
}

function oneOf(value: string | undefined, supported: readonly string[], field: string): FieldError[] {
  return value === undefined || supported.includes(value) ? [] : [notSupported(field, value, supported)]
}

function validateSysctls(sysctls: readonly Sysctl[], spec: PodSpec, field: string): FieldError[] {
  const names = new Set<string>()
  return sysctls.flatMap(({ name }, i) => {
    const at = `${field}[${i}].name`
    const out: FieldError[] = []
    if (!name) out.push(required(at))
    else if (name.length > MAX_SYSCTL || !SYSCTL_PATTERN.test(name)) {
      out.push(invalid(at, name, `must have at most ${MAX_SYSCTL} characters and match regex ${SYSCTL}`))
    } else if (names.has(name)) out.push(duplicate(at, name))
    names.add(name)
    const namespace = sysctlNamespace(name)
    if (spec.hostNetwork && namespace === 'net') out.push(invalid(at, name, "may not be specified when 'hostNetwork' is true"))
    else if (spec.hostIPC && namespace === 'ipc') out.push(invalid(at, name, "may not be specified when 'hostIPC' is true"))
    return out
  })
}

/** Which of the kernel's namespaces a sysctl belongs to. Source: component-helpers `node/util/sysctl`. */
function sysctlNamespace(name: string): 'ipc' | 'net' | null {
  const dotted = name.includes('/') && !/^[^/]*\./.test(name) ? name.replaceAll('/', '.') : name
  if (dotted === 'kernel.sem' || /^(kernel\.shm|kernel\.msg|fs\.mqueue\.)/.test(dotted)) return 'ipc'
  return dotted.startsWith('net.') ? 'net' : null
}

function validateSeccompProfile(profile: SeccompProfile, field: string): FieldError[] {
  const { type, localhostProfile } = profile
  const out: FieldError[] = []
  if (!type) out.push(required(`${field}.type`, 'type is required when seccompProfile is set'))
  else if (!PROFILE_TYPES.includes(type)) out.push(notSupported(`${field}.type`, type, PROFILE_TYPES))
  const at = `${field}.localhostProfile`
  if (type === 'Localhost') {
    if (localhostProfile === undefined) out.push(required(at, 'must be set when seccomp type is Localhost'))
    else out.push(...localDescendingPath(localhostProfile, at))
  } else if (localhostProfile !== undefined) out.push(invalid(at, profile, 'can only be set when seccomp type is Localhost'))
  return out
}

function validateAppArmorProfile({ type, localhostProfile }: AppArmorProfile, field: string): FieldError[] {
  const at = `${field}.localhostProfile`
  if (type === 'Localhost') {
    if (localhostProfile === undefined) return [required(at, 'must be set when AppArmor type is Localhost')]
    const out: FieldError[] = []
    if (localhostProfile.trim() !== localhostProfile) out.push(invalid(at, localhostProfile, 'must not be padded with whitespace'))
    else if (!localhostProfile) out.push(required(at, 'must be set when AppArmor type is Localhost'))
    if (byteLength(localhostProfile) > MAX_PATH) out.push(tooLong(at, MAX_PATH))
    return out
  }
  if (!type) return [required(`${field}.type`, 'type is required when appArmorProfile is set')]
  if (!PROFILE_TYPES.includes(type)) return [notSupported(`${field}.type`, type, PROFILE_TYPES)]
  return localhostProfile === undefined ? [] : [invalid(at, localhostProfile, 'can only be set when AppArmor type is Localhost')]
}

/** A user namespace of its own does not go with other namespaces of the host. `field` is the path of the spec. */
export function validateHostUsers(spec: PodSpec, field: string): FieldError[] {
  if (spec.hostUsers !== false) return []
  const why = 'when `hostUsers` is false'
  const out: FieldError[] = []
  if (spec.hostNetwork) out.push(forbidden(`${field}.hostNetwork`, why))
  if (spec.hostPID) out.push(forbidden(`${field}.HostPID`, why))
  if (spec.hostIPC) out.push(forbidden(`${field}.HostIPC`, why))
  return out
}
