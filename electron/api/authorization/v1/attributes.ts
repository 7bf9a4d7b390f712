/** Checks of what access reviews ask. Source: kubernetes `apis/authorization/validation`. */
import type { ObjectMeta } from '../../meta/v1/object.ts'
import { forbidden, invalid, required, type FieldError } from '../../values/field-error.ts'
import { labelValueErrors, qualifiedName } from '../../values/names.ts'
import type { FieldSelectorAttributes, LabelSelectorAttributes, SelfSubjectAccessReviewSpec, SubjectAccessReviewSpec } from './types.gen.ts'

type Selector = FieldSelectorAttributes | LabelSelectorAttributes

/** What is asked: access to a resource, or to a path. */
export function validateAttributes({
  resourceAttributes: resource,
  nonResourceAttributes: path,
}: SelfSubjectAccessReviewSpec): FieldError[] {
  const out: FieldError[] = []
  if (resource && path) out.push(invalid('spec.nonResourceAttributes', path, 'cannot be specified in combination with resourceAttributes'))
  if (!resource && !path) {
    const why = 'exactly one of nonResourceAttributes or resourceAttributes must be specified'
    out.push(invalid('spec.resourceAttributes', null, why))
  }
  const at = 'spec.resourceAttributes'
  if (resource?.fieldSelector) out.push(...validateSelector(resource.fieldSelector, `${at}.fieldSelector`, false))
  if (resource?.labelSelector) out.push(...validateSelector(resource.labelSelector, `${at}.labelSelector`, true))
  return out
}

/** And for whom. */
export function validateSubject({ user = '', groups }: SubjectAccessReviewSpec): FieldError[] {
  return user || groups?.length ? [] : [invalid('spec.user', user, 'at least one of user or group must be specified')]
}

/** Reviews are no objects, so nothing may be said of them as of objects. */
export function validateNoMetadata(metadata: ObjectMeta, except: readonly string[] = []): FieldError[] {
  const set = Object.entries(metadata).filter(([name, value]) => isSet(value) && name !== 'managedFields' && !except.includes(name))
  return set.length ? [invalid('metadata', metadata, `must be empty${except.length ? ` except for ${except.join(', ')}` : ''}`)] : []
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '' && !(typeof value === 'object' && Object.keys(value).length === 0)
}

/** Operators that are unknown here may be known to who decides. */
function validateSelector({ rawSelector, requirements = [] }: Selector, field: string, labels: boolean): FieldError[] {
  const out: FieldError[] = []
  if (rawSelector && requirements.length) {
    out.push(invalid(`${field}.rawSelector`, rawSelector, 'may not specified at the same time as requirements'))
  }
  if (!rawSelector && !requirements.length) {
    out.push(required(`${field}.requirements`, `when ${field} is specified, requirements or rawSelector is required`))
  }
  requirements.forEach(({ key, operator, values = [] }, i) => {
    const at = `${field}.requirements[${i}]`
    if (!labels && !key) out.push(required(`${at}.key`, 'must be specified'))
    if ((operator === 'In' || operator === 'NotIn') && !values.length) {
      out.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
    }
    if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length) {
      out.push(forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
    }
    if (!labels) return
    for (const why of qualifiedName(key)) out.push(invalid(`${at}.key`, key, why))
    values.forEach((value, j) => {
      for (const why of labelValueErrors(value)) out.push(invalid(`${at}.values[${j}]`, value, why))
    })
  })
  return out
}
