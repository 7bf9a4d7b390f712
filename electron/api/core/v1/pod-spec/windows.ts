/** What pods may ask for on Windows, and what only there. Source: kubernetes `core/validation`. */
import { forbidden, invalid, invalidEach, notSupported, required, type FieldError } from '../../../values/field-error.ts'
import { byteLength, dns1123Subdomain } from '../../../values/names.ts'
import type { PodSpec, WindowsSecurityContextOptions } from '../types.gen.ts'
import { containersOf } from './visit.ts'

const MAX_SPEC_KIB = 64
const MAX_DOMAIN = 256
const MAX_USER = 104
const NET_BIOS = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/
const DNS_LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?'
const DNS_DOMAIN = new RegExp(`^${DNS_LABEL}(?:\\.${DNS_LABEL})*$`)
const SYSTEMS = ['linux', 'windows']

export function validateWindowsOptions(options: WindowsSecurityContextOptions, field: string): FieldError[] {
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: spec, runAsUserName } = options
  const out = name === undefined ? [] : invalidEach(`${field}.gmsaCredentialSpecName`, name, dns1123Subdomain(name))
  if (spec === '') out.push(invalid(`${field}.gmsaCredentialSpec`, spec, 'gmsaCredentialSpec cannot be an empty string'))
  else if (spec !== undefined && byteLength(spec) > MAX_SPEC_KIB * 1024) {
    out.push(invalid(`${field}.gmsaCredentialSpec`, spec, `gmsaCredentialSpec size must be under ${MAX_SPEC_KIB} KiB`))
  }
  if (runAsUserName === undefined) return out
  return [...out, ...userNameFaults(runAsUserName).map((why) => invalid(`${field}.runAsUserName`, runAsUserName, why))]
}

/** "user" or "DOMAIN\user". */
function userNameFaults(name: string): string[] {
  if (name === '') return ['runAsUserName cannot be an empty string']
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(name)) return ['runAsUserName cannot contain control characters']
  const parts = name.split('\\')
  if (parts.length > 2) return ['runAsUserName cannot contain more than one backslash']
  const user = parts.at(-1) ?? ''
  const domain = parts.length === 2 ? (parts[0] ?? '') : null
  const out: string[] = []
  if (domain !== null && domain.length >= MAX_DOMAIN) out.push(`runAsUserName's Domain length must be under ${MAX_DOMAIN} characters`)
  if (domain !== null && !NET_BIOS.test(domain) && !DNS_DOMAIN.test(domain)) {
    out.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format")
  }
  if (user === '') out.push("runAsUserName's User cannot be empty")
  else if (user.length > MAX_USER) out.push(`runAsUserName's User length must not be longer than ${MAX_USER} characters`)
  if (/^[. ]+$/.test(user)) out.push("runAsUserName's User cannot contain only periods or spaces")
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) {
    out.push(`runAsUserName's User cannot contain the following characters: "/\\:;|=,+*?<>@[]`)
  }
  return out
}

/** HostProcess containers: all of a pod or none. `field` is the path of the spec. */
export function validateHostProcess(spec: PodSpec, field: string): FieldError[] {
  const out: FieldError[] = []
  const pod = spec.securityContext?.windowsOptions?.hostProcess
  const containers = containersOf(spec, field)
  let count = 0
  for (const { container, field: at } of containers) {
    const own = container.securityContext?.windowsOptions?.hostProcess
    if (pod !== undefined && own !== undefined && pod !== own) {
      const why = `pod hostProcess value must be identical if both are specified, was ${pod}`
      out.push(invalid(`${at}.securityContext.windowsOptions.hostProcess`, own, why))
    }
    if (own ?? pod) count++
  }
  if (count === 0) return out
  if (count !== containers.length) {
    out.push(invalid(field, '', 'If pod contains any hostProcess containers then all containers must be HostProcess containers'))
  }
  if (!spec.hostNetwork) {
    out.push(invalid(`${field}.hostNetwork`, false, 'hostNetwork must be true if pod contains any hostProcess containers'))
  }
  return out
}

/** What `spec.os` says the pod is for rules out what exists on the other system only. `field` is the path of the spec. */
export function validateOs(spec: PodSpec, field: string): FieldError[] {
  if (!spec.os) return []
  const { name } = spec.os
  if (!name) return [required(`${field}.os.name`)]
  if (!SYSTEMS.includes(name)) return [notSupported(`${field}.os`, name, SYSTEMS)]
  return name === 'linux' ? forLinux(spec, field) : forWindows(spec, field)
}

function forLinux(spec: PodSpec, field: string): FieldError[] {
  const why = 'windows options cannot be set for a linux pod'
  const pod = spec.securityContext?.windowsOptions ? [forbidden(`${field}.securityContext.windowsOptions`, why)] : []
  const contexts = containersOf(spec, field).filter(({ container }) => container.securityContext?.windowsOptions)
  return [...pod, ...contexts.map(({ field: at }) => forbidden(`${at}.securityContext.windowsOptions`, why))]
}

const NOT_IN_WINDOWS_PODS = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
] as const
const NOT_IN_WINDOWS_CONTAINERS = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const

function forWindows(spec: PodSpec, field: string): FieldError[] {
  const why = 'cannot be set for a windows pod'
  const context = spec.securityContext
  const at = `${field}.securityContext`
  const out = NOT_IN_WINDOWS_PODS.filter((name) => context?.[name] !== undefined).map((name) => forbidden(`${at}.${name}`, why))
  if (context?.sysctls?.length) out.push(forbidden(`${at}.sysctls`, why))
  if (spec.hostUsers !== undefined) out.push(forbidden(`${field}.hostUsers`, why))
  if (spec.hostPID) out.push(forbidden(`${field}.hostPID`, why))
  if (spec.hostIPC) out.push(forbidden(`${field}.hostIPC`, why))
  if (spec.shareProcessNamespace !== undefined) out.push(forbidden(`${field}.shareProcessNamespace`, why))
  for (const { container, field: of } of containersOf(spec, field)) {
    const own = container.securityContext
    for (const name of NOT_IN_WINDOWS_CONTAINERS) if (own?.[name] !== undefined) out.push(forbidden(`${of}.securityContext.${name}`, why))
  }
  return out
}
