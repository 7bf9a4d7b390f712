/** What the API server refuses about an object's fields: in sentences, and as places in its text. */
import type { Failure } from '../face/failure.ts'
import { t, tn } from '../i18n/index.ts'
import { fieldCause } from '../kube/field-cause.ts'
import { rangeOf, type Manifest, type Problem } from './yaml.ts'

/** Fields that are told one by one. */
const TOLD = 3

/** Fields that are not in the schema: of server-side apply's message, and of strict decoding's. */
function unknownFields(message: string): string[] {
  const applied = [...message.matchAll(/(\.\S+): field not declared in schema/g)].map((m) => (m[1] ?? '').slice(1))
  const decoded = [...message.matchAll(/unknown field "([^"]+)"/g)].map((m) => m[1] ?? '')
  return [...applied, ...decoded]
}

const fieldCauses = (failure: Failure) => failure.status?.details?.causes?.filter((cause) => cause.field) ?? []

/** The same failure, with the fields that are wrong and their reasons; the Status is kept. */
export function refusalInWords(failure: Failure, kind: string): Failure {
  const unknown = unknownFields(failure.status?.message ?? '')
  if (unknown.length)
    return {
      ...failure,
      why: tn('refusal.unknownFields', unknown.length, { kind, fields: unknown.join(', ') }),
      next: t('refusal.unknownFieldsNext'),
    }
  const causes = failure.status?.reason === 'Invalid' ? fieldCauses(failure) : []
  if (!causes.length) return failure
  const lines = causes.slice(0, TOLD).map(({ field, message }) => `${field ?? ''}: ${fieldCause(message ?? '')}`)
  if (causes.length > TOLD) lines.push(tn('refusal.more', causes.length - TOLD))
  return { ...failure, why: lines.join('\n') }
}

/** Where in the manifest's document the fields stand. */
export function refusedPlaces(manifest: Manifest, index: number, failure: Failure): Problem[] {
  const doc = manifest.documents[index]?.doc
  if (!doc) return []
  const kind = String(doc.get('kind'))
  const unknown = unknownFields(failure.status?.message ?? '').map((field) => ({
    field,
    message: t('refusal.unknownField', { kind }),
    part: 'key' as const,
  }))
  const wrong = fieldCauses(failure).map(({ field, message }) => ({
    field: field ?? '',
    message: fieldCause(message ?? ''),
    part: 'value' as const,
  }))
  return [...wrong, ...unknown].flatMap(({ field, message, part }) => {
    const range = rangeOf(doc, field, part)
    if (!range) return []
    const [from, to] = range
    return [{ line: manifest.lineAt(from), from, to: Math.max(from + 1, to), message: `${field}: ${message}` }]
  })
}
