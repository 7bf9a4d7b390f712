/** References of the downward API: fields of the pod, resources of a container. Source: kubernetes `core/validation`, `core/pods`. */
import { invalid, invalidEach, notSupported, required, type FieldError } from '../../../values/field-error.ts'
import { qualifiedName } from '../../../values/names.ts'
import { canonicalQuantity, compareQuantity, tryQuantity } from '../../../values/quantity.ts'
import type { ObjectFieldSelector, ResourceFieldSelector } from '../types.gen.ts'

const KNOWN_FIELDS = new Set([
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.restartPolicy',
  'spec.serviceAccountName',
  'spec.schedulerName',
  'spec.host',
  'status.phase',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
])

export const ENV_FIELDS: readonly string[] = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]
export const VOLUME_FIELDS: readonly string[] = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
]
const RESOURCES: readonly string[] = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
]
const HUGE_PAGES = /^(limits|requests)\.hugepages-/
const BYTE_DIVISORS_TEXT = '1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei'
const BYTE_DIVISORS = BYTE_DIVISORS_TEXT.split(', ')

/** "metadata.labels['app']" -> ["metadata.labels", "app"]; null without a subscript. */
export function splitSubscript(path: string): [path: string, subscript: string] | null {
  const match = /^([^[]+)\['(.*)'\]$/s.exec(path)
  return match ? [match[1] ?? '', match[2] ?? ''] : null
}

export function validateFieldSelector(selector: ObjectFieldSelector, supported: readonly string[], field: string): FieldError[] {
  const { apiVersion, fieldPath } = selector
  if (!apiVersion) return [required(`${field}.apiVersion`)]
  if (!fieldPath) return [required(`${field}.fieldPath`)]
  const fault = conversionFault(apiVersion, fieldPath)
  if (fault) return [invalid(`${field}.fieldPath`, fieldPath, `error converting fieldPath: ${fault}`)]
  const subscripted = splitSubscript(fieldPath)
  if (subscripted) {
    const [path, subscript] = subscripted
    const key = path === 'metadata.annotations' ? subscript.toLowerCase() : subscript
    return invalidEach(field, key, qualifiedName(key))
  }
  const internal = fieldPath === 'spec.host' ? 'spec.nodeName' : fieldPath
  return supported.includes(internal) ? [] : [notSupported(`${field}.fieldPath`, internal, supported)]
}

function conversionFault(apiVersion: string, fieldPath: string): string | null {
  if (apiVersion !== 'v1') return `unsupported pod version: ${apiVersion}`
  const subscripted = splitSubscript(fieldPath)
  if (subscripted) {
    return subscripted[0] === 'metadata.annotations' || subscripted[0] === 'metadata.labels'
      ? null
      : `field label does not support subscript: ${fieldPath}`
  }
  return KNOWN_FIELDS.has(fieldPath) ? null : `field label not supported: ${fieldPath}`
}

/** In a volume the container must be named; in a variable it is the one that has it. */
export function validateResourceSelector(selector: ResourceFieldSelector, field: string, inVolume: boolean): FieldError[] {
  const { resource, containerName, divisor } = selector
  const out: FieldError[] = []
  if (inVolume && !containerName) out.push(required(`${field}.containerName`))
  else if (!resource) out.push(required(`${field}.resource`))
  else if (!RESOURCES.includes(resource) && !HUGE_PAGES.test(resource)) out.push(notSupported(`${field}.resource`, resource, RESOURCES))
  return [...out, ...validateDivisor(resource, divisor, field)]
}

function validateDivisor(resource: string, divisor: string | undefined, field: string): FieldError[] {
  if (divisor === undefined || !tryQuantity(divisor) || compareQuantity(divisor, '0') === 0) return []
  const text = canonicalQuantity(divisor)
  const fault = (why: string) => [invalid(`${field}.divisor`, resource, why)]
  if (/^(limits|requests)\.cpu$/.test(resource)) {
    return text === '1m' || text === '1' ? [] : fault("only divisor's values 1m and 1 are supported with the cpu resource")
  }
  const what = byteResource(resource)
  return what && !BYTE_DIVISORS.includes(text)
    ? fault(`only divisor's values ${BYTE_DIVISORS_TEXT} are supported with the ${what} resource`)
    : []
}

function byteResource(resource: string): string | null {
  if (HUGE_PAGES.test(resource)) return 'hugepages'
  if (/^(limits|requests)\.memory$/.test(resource)) return 'memory'
  return /^(limits|requests)\.ephemeral-storage$/.test(resource) ? 'local ephemeral storage' : null
}
