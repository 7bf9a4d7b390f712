/** What a ValidatingAdmissionPolicy demands and says. Source: kubernetes `apis/admissionregistration/validation`. */
import { duplicate, invalid, invalidEach, notSupported, required, tooLong, tooMany, type FieldError } from '../../values/field-error.ts'
import { byteLength, qualifiedName } from '../../values/names.ts'
import { validateExpression } from './conditions.ts'
import type { AuditAnnotation, Validation } from './types.gen.ts'

const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge', 'Unauthorized']
const MAX_ANNOTATIONS = 20
const MAX_ANNOTATION_EXPRESSION = 5 * 1024

const hasLineBreak = (text: string) => /[\r\n]/.test(text)

export function validateValidation({ expression, message = '', messageExpression = '', reason }: Validation, field: string): FieldError[] {
  const trimmed = message.trim()
  const out: FieldError[] = []
  const [sentence, rule] = [expression.trim(), messageExpression.trim()]
  if (sentence === '') out.push(required(`${field}.expression`, 'expression is not specified'))
  if (messageExpression !== '' && rule === '')
    out.push(invalid(`${field}.messageExpression`, messageExpression, 'must be non-empty if specified'))
  if (message !== '' && trimmed === '') out.push(invalid(`${field}.message`, message, 'message must be non-empty if specified'))
  else if (hasLineBreak(trimmed)) out.push(invalid(`${field}.message`, message, 'message must not contain line breaks'))
  else if (hasLineBreak(sentence) && trimmed === '')
    out.push(required(`${field}.message`, 'message must be specified if expression contains line breaks'))
  if (reason !== undefined && !REASONS.includes(reason)) out.push(notSupported(`${field}.reason`, reason, REASONS))
  return out
}

export function validateAuditAnnotations(annotations: readonly AuditAnnotation[], policy: string, field: string): FieldError[] {
  if (annotations.length > MAX_ANNOTATIONS) return [tooMany(field, annotations.length, MAX_ANNOTATIONS)]
  return annotations.flatMap(({ key, valueExpression }, i) => {
    const at = `${field}[${i}]`
    // In the audit log the policy's name stands before the key.
    const wrong = key === '' ? [required(`${at}.key`)] : invalidEach(`${at}.key`, key, qualifiedName(policy ? `${policy}/${key}` : key))
    const again = annotations.findIndex((one) => one.key === key) < i ? [duplicate(`${at}.key`, key)] : []
    const long = byteLength(valueExpression.trim()) > MAX_ANNOTATION_EXPRESSION
    return [
      ...wrong,
      ...again,
      ...validateExpression(valueExpression, `${at}.valueExpression`),
      ...(long ? [tooLong(`${at}.valueExpression`, MAX_ANNOTATION_EXPRESSION)] : []),
    ]
  })
}
