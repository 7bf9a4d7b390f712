/** Annotations of pods that have a meaning. Source: kubernetes `core/validation`. */
import { forbidden, goQuote, invalid, type FieldError } from '../../../values/field-error.ts'
import type { AppArmorProfile, PodSpec, SeccompProfile } from '../types.gen.ts'
import { localDescendingPath } from './paths.ts'
import { containersOf } from './visit.ts'

/** On what the kubelet shows of a pod that it did not get from here. */
export const MIRROR_POD = 'kubernetes.io/config.mirror'
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost'
export const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod'
export const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/'
export const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/'

type Annotations = Readonly<Record<string, string>>

/** `field` is the path of the annotations. */
export function validatePodAnnotations(annotations: Annotations, spec: PodSpec, field: string): FieldError[] {
  const out: FieldError[] = []
  const mirror = annotations[MIRROR_POD]
  if (mirror !== undefined && !spec.nodeName) {
    out.push(invalid(`${field}[${MIRROR_POD}]`, mirror, 'must set spec.nodeName if mirror pod annotation is set'))
  }
  const cost = annotations[DELETION_COST]
  if (cost !== undefined && !isInt32(cost)) out.push(invalid(`${field}[${DELETION_COST}]`, cost, 'must be a 32bit integer'))
  const names = new Set(containersOf(spec, '').map(({ container }) => container.name))
  for (const [key, value] of Object.entries(annotations)) {
    if (key === SECCOMP_POD || key.startsWith(SECCOMP_CONTAINER)) out.push(...validateSeccomp(value, `${field}.${key}`))
    if (key.startsWith(APP_ARMOR)) {
      const name = key.slice(APP_ARMOR.length)
      if (!names.has(name)) out.push(invalid(`${field}[${key}]`, name, 'container not found'))
      if (!isAppArmor(value)) out.push(invalid(`${field}[${key}]`, value, `invalid AppArmor profile name: ${goQuote(value)}`))
    }
  }
  return out
}

const isInt32 = (text: string) => /^(0|[1-9]\d*|-\d+)$/.test(text) && Math.abs(Number(text) + 0.5) < 2 ** 31
const isAppArmor = (value: string) => ['', 'runtime/default', 'unconfined'].includes(value) || value.startsWith('localhost/')

function validateSeccomp(profile: string, field: string): FieldError[] {
  if (['runtime/default', 'docker/default', 'unconfined'].includes(profile)) return []
  if (profile.startsWith('localhost/')) return localDescendingPath(profile.slice('localhost/'.length), field)
  return [invalid(field, profile, 'must be a valid seccomp profile')]
}

/** `field` is the path of the annotations. */
export function validatePodAnnotationsUpdate(annotations: Annotations, old: Annotations, field: string): FieldError[] {
  const out: FieldError[] = []
  for (const key of new Set([...Object.keys(old), ...Object.keys(annotations)])) {
    if (annotations[key] === old[key]) continue
    const verb = key in old ? 'remove or update' : 'add'
    if (key.startsWith(APP_ARMOR)) out.push(forbidden(`${field}[${key}]`, `may not ${verb} AppArmor annotations`))
    if (key === MIRROR_POD) out.push(forbidden(`${field}[${key}]`, `may not ${verb} mirror pod annotation`))
  }
  return out
}

/** What is said in both ways must be the same. `field` is the path of the spec. */
export function validateProfileAnnotations(annotations: Annotations, spec: PodSpec, field: string): FieldError[] {
  const context = spec.securityContext
  const out = matchSeccomp(annotations[SECCOMP_POD], context?.seccompProfile, `${field}.securityContext.seccompProfile`)
  for (const { container, field: at } of containersOf(spec, field)) {
    const own = container.securityContext
    const { name } = container
    out.push(...matchSeccomp(annotations[`${SECCOMP_CONTAINER}${name}`], own?.seccompProfile, `${at}.securityContext.seccompProfile`))
    if (spec.os?.name === 'windows') continue
    const profile = own?.appArmorProfile ?? context?.appArmorProfile
    out.push(
      ...matchProfile('apparmor', annotations[`${APP_ARMOR}${name}`], profile, `${at}.securityContext.appArmorProfile`, [
        'runtime/default',
      ]),
    )
  }
  return out
}

function matchSeccomp(annotation: string | undefined, profile: SeccompProfile | undefined, field: string): FieldError[] {
  return matchProfile('seccomp', annotation, profile, field, ['runtime/default', 'docker/default'])
}

function matchProfile(
  what: string,
  annotation: string | undefined,
  profile: SeccompProfile | AppArmorProfile | undefined,
  field: string,
  defaults: readonly string[],
): FieldError[] {
  if (annotation === undefined || !profile) return []
  const other = [forbidden(`${field}.type`, `${what} type in annotation and field must match`)]
  if (profile.type === 'Unconfined') return annotation === 'unconfined' ? [] : other
  if (profile.type === 'RuntimeDefault') return defaults.includes(annotation) ? [] : other
  if (profile.type !== 'Localhost') return []
  if (!annotation.startsWith('localhost/')) return other
  if (annotation.slice('localhost/'.length) === profile.localhostProfile) return []
  return [forbidden(`${field}.localhostProfile`, `${what} profile in annotation and field must match`)]
}
