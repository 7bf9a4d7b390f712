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
const UNASKED: Judged = { policy: { enforce: ANYTHING, audit: ANYTHING, warn: ANYTHING }, errors: [] }

export interface Judged {
  /** A label that cannot be understood counts as "restricted" where it is enforced, as "privileged" elsewhere, and as the latest version. */
  readonly policy: Policy
  readonly errors: readonly FieldError[]
}

export function policyOf(labels: Readonly<Record<string, string>> = {}): Judged {
  if (!Object.keys(labels).some((key) => key.startsWith(LABEL_PREFIX))) return UNASKED
  const errors: FieldError[] = []
  const complain = (label: string, value: string, why: string) => errors.push(invalid(`metadata.labels[${label}]`, value, why))
  const read = (mode: Mode): LevelVersion => {
    const [levelLabel, versionLabel] = [LABEL_PREFIX + mode, `${LABEL_PREFIX}${mode}-version`]
    const [wanted, version] = [labels[levelLabel], labels[versionLabel]]
    let level: Level = 'privileged'
    if (wanted !== undefined) {
      const known = LEVELS.find((one) => one === wanted)
      level = known ?? (mode === 'enforce' ? 'restricted' : 'privileged')
      if (!known) complain(levelLabel, wanted, `must be one of ${LEVELS.join(', ')}`)
    }
    const match = version === undefined ? null : VERSION.exec(version)
    if (version !== undefined && version !== 'latest' && !match) complain(versionLabel, version, 'must be "latest" or "v1.x"')
    return { level, minor: match ? Number(match[1]) : Infinity }
  }
  const [enforce, audit, own] = [read('enforce'), read('audit'), read('warn')]
  // What is enforced is warned of too, unless the namespace says what to warn of.
  const inherits = labels[`${LABEL_PREFIX}warn`] === undefined && LEVELS.some((one) => one === labels[`${LABEL_PREFIX}enforce`])
  const follows = inherits && stricter(enforce.level, own.level)
  const minor = labels[`${LABEL_PREFIX}warn-version`] === undefined ? enforce.minor : own.minor
  return { policy: { enforce, audit, warn: follows ? { level: enforce.level, minor } : own }, errors }
}

export function stricter(a: Level, b: Level): boolean {
  return LEVELS.indexOf(a) > LEVELS.indexOf(b)
}

export function sameLevel(a: LevelVersion, b: LevelVersion): boolean {
  return a.level === b.level && a.minor === b.minor
}

/** "baseline:v1.30", "restricted:latest". */
export function levelText({ level, minor }: LevelVersion): string {
  return `${level}:${minor === Infinity ? 'latest' : `v1.${minor}`}`
}
