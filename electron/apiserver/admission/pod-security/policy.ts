/** What the labels of a namespace ask of the pods in it. Sources: KEP-2579, k8s.io/pod-security-admission `api`. */
import { invalid, type FieldError } from '../../../api/values/field-error.ts'

export type Level = 'privileged' | 'baseline' | 'restricted'
export type Mode = 'enforce' | 'audit' | 'warn'

/** A level as Kubernetes 1.`minor` understood it; `minor` is Infinity for the latest. */
export interface LevelVersion {
  readonly level: Level
  readonly minor: number
}

export type Policy = Readonly<Record<Mode, LevelVersion>>

export const LABEL_PREFIX = 'pod-security.kubernetes.io/'
/** From the least to the most strict. */
const LEVELS: readonly Level[] = ['privileged', 'baseline', 'restricted']
const VERSION = /^v1\.(0|[1-9][0-9]*)$/
const ANYTHING: LevelVersion = { level: 'privileged', minor: Infinity }
export const UNASKED: Policy = { enforce: ANYTHING, audit: ANYTHING, warn: ANYTHING }

export interface Judged {
  /** A label that cannot be understood counts as "restricted" where it is enforced, as "privileged" elsewhere, and as the latest version. */
  readonly policy: Policy
  readonly errors: readonly FieldError[]
}

/** `defaults`: what is asked where a label is not there. */
export function policyOf(labels: Readonly<Record<string, string>> = {}, defaults: Policy = UNASKED): Judged {
  if (!Object.keys(labels).some((key) => key.startsWith(LABEL_PREFIX))) return { policy: defaults, errors: [] }
  const errors: FieldError[] = []
  const read = (mode: Mode): LevelVersion => {
    const [levelLabel, versionLabel] = [LABEL_PREFIX + mode, `${LABEL_PREFIX}${mode}-version`]
    const [wanted, version] = [labels[levelLabel], labels[versionLabel]]
    const ifWrong = mode === 'enforce' ? 'restricted' : 'privileged'
    return {
      level: wanted === undefined ? defaults[mode].level : (levelOf(wanted, `metadata.labels[${levelLabel}]`, errors) ?? ifWrong),
      minor: version === undefined ? defaults[mode].minor : minorOf(version, `metadata.labels[${versionLabel}]`, errors),
    }
  }
  const [enforce, audit, own] = [read('enforce'), read('audit'), read('warn')]
  // What is enforced is warned of too, unless the namespace says what to warn of.
  const inherits = labels[`${LABEL_PREFIX}warn`] === undefined && LEVELS.some((one) => one === labels[`${LABEL_PREFIX}enforce`])
  const follows = inherits && stricter(enforce.level, own.level)
  const minor = labels[`${LABEL_PREFIX}warn-version`] === undefined ? enforce.minor : own.minor
  return { policy: { enforce, audit, warn: follows ? { level: enforce.level, minor } : own }, errors }
}

/** Undefined, and one error more, if there is no such level. */
export function levelOf(text: string, field: string, errors: FieldError[]): Level | undefined {
  const known = LEVELS.find((one) => one === text)
  if (!known) errors.push(invalid(field, text, `must be one of ${LEVELS.join(', ')}`))
  return known
}

/** The latest, and one error more, if there can be no such version. */
export function minorOf(text: string, field: string, errors: FieldError[]): number {
  const match = VERSION.exec(text)
  if (text !== 'latest' && !match) errors.push(invalid(field, text, 'must be "latest" or "v1.x"'))
  return match ? Number(match[1]) : Infinity
}

export const asks = ({ level }: LevelVersion): boolean => level !== 'privileged'

export function asksNothing({ enforce, audit, warn }: Policy): boolean {
  return !asks(enforce) && !asks(audit) && !asks(warn)
}

export function stricter(a: Level, b: Level): boolean {
  return LEVELS.indexOf(a) > LEVELS.indexOf(b)
}

/** "baseline:v1.30", "restricted:latest". */
export function levelText({ level, minor }: LevelVersion): string {
  return `${level}:${minor === Infinity ? 'latest' : `v1.${minor}`}`
}
