/**
 * PodSecurityConfiguration (pod-security.admission.config.k8s.io/v1): what holds in namespaces without labels, and for whom nothing does.
 * Source: k8s.io/pod-security-admission `admission/api`.
 */
import { duplicate, invalid, notSupported, type FieldError } from '../../../api/values/field-error.ts'
import { nameIsDnsLabel, nameIsDnsSubdomain } from '../../../api/values/names.ts'
import { Fields } from '../../authn/config/fields.ts'
import { levelOf, minorOf, UNASKED, type LevelVersion, type Mode, type Policy } from './policy.ts'

export interface PodSecurityConfiguration {
  readonly defaults: Policy
  readonly exemptions: Exemptions
}

/** Exact names. */
export interface Exemptions {
  readonly usernames: readonly string[]
  readonly namespaces: readonly string[]
  readonly runtimeClasses: readonly string[]
}

export const NOT_CONFIGURED: PodSecurityConfiguration = {
  defaults: UNASKED,
  exemptions: { usernames: [], namespaces: [], runtimeClasses: [] },
}

const GROUP = 'pod-security.admission.config.k8s.io'
const VERSIONS = ['v1', 'v1beta1', 'v1alpha1'].map((version) => `${GROUP}/${version}`)
const KIND = 'PodSecurityConfiguration'
const MODES: readonly Mode[] = ['enforce', 'audit', 'warn']

/** `document` lies at `at` of a file ("" for the file itself). What is wrong with it is added to `errors`. */
export function podSecurityConfiguration(document: unknown, at: string, errors: FieldError[]): PodSecurityConfiguration {
  const top = new Fields(document, at, errors, ['apiVersion', 'kind', 'defaults', 'exemptions'])
  const version = top.needText('apiVersion')
  if (version && !VERSIONS.includes(version)) errors.push(notSupported(top.path('apiVersion'), version, VERSIONS))
  const kind = top.needText('kind')
  if (kind && kind !== KIND) errors.push(notSupported(top.path('kind'), kind, [KIND]))

  const given = top.part(
    'defaults',
    MODES.flatMap((mode) => [mode, `${mode}-version`]),
  )
  const read = (mode: Mode): LevelVersion => ({
    level: levelOf(given.text(mode) || 'privileged', given.path(mode), errors) ?? 'restricted',
    minor: minorOf(given.text(`${mode}-version`) || 'latest', given.path(`${mode}-version`), errors),
  })
  const defaults = { enforce: read('enforce'), audit: read('audit'), warn: read('warn') }

  const exempt = top.part('exemptions', ['usernames', 'namespaces', 'runtimeClasses'])
  const names = (field: string, faults: (name: string) => readonly string[]): readonly string[] => {
    const all = exempt.texts(field)
    for (const [i, name] of all.entries()) {
      const where = `${exempt.path(field)}[${i}]`
      const why = faults(name)
      if (why.length > 0) errors.push(invalid(where, name, why.join(', ')))
      else if (all.indexOf(name) < i) errors.push(duplicate(where, name))
    }
    return all
  }
  const exemptions = {
    usernames: names('usernames', (name) => (name === '' ? ['username must not be empty'] : [])),
    namespaces: names('namespaces', nameIsDnsLabel),
    runtimeClasses: names('runtimeClasses', nameIsDnsSubdomain),
  }
  return { defaults, exemptions }
}
