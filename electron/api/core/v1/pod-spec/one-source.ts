/** The check that a volume has exactly one source, and of that source. Source: kubernetes `core/validation`, `validateVolumeSource`. */
import { forbidden, required, type FieldError } from '../../../values/field-error.ts'

/** What checks one kind of source of `Holder`; null where it does not have one. */
export interface SourceRule<Holder> {
  readonly name: keyof Holder
  readonly check: (holder: Holder, at: string) => FieldError[] | null
  /** Under which name upstream reports it as the second source. */
  readonly second: string
}

interface ReportedAs {
  /** Default: the name. */
  readonly field?: string
  /** Default: the name. */
  readonly second?: string
}

/** Makes the rules of one type; curried, so that the name infers what is checked. */
export const sourceRules =
  <Holder>() =>
  <K extends keyof Holder & string>(
    name: K,
    check: (source: NonNullable<Holder[K]>, field: string) => FieldError[],
    { field = name, second = name }: ReportedAs = {},
  ): SourceRule<Holder> => ({
    name,
    second,
    check(holder, at) {
      const source = holder[name]
      return source === undefined || source === null ? null : check(source, `${at}.${field}`)
    },
  })

/** Faults of the first source, in the order of the rules; others are forbidden. `whole`: what is to be said of all of it as well. */
export function validateOneSource<Holder>(
  rules: readonly SourceRule<Holder>[],
  holder: Holder,
  at: string,
  whole: readonly FieldError[],
): FieldError[] {
  const out: FieldError[] = []
  let count = 0
  for (const { check, second } of rules) {
    const faults = check(holder, at)
    if (!faults) continue
    if (count++ > 0) out.push(forbidden(`${at}.${second}`, 'may not specify more than 1 volume type'))
    else out.push(...faults)
  }
  out.push(...whole)
  return count ? out : [...out, required(at, 'must specify a volume type')]
}
