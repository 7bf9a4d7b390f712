/** Queries of requests, as what they ask for. Throws StatusError 400 or 422 for what cannot be understood. */
import { invalid, notSupported, required, tooLong, type FieldError } from '../../api/values/field-error.ts'
import { badRequest, invalidObject } from '../../machinery/status.ts'
import type { Deletion } from '../registry/before-delete.ts'
import type { ListQuery } from '../registry/read.ts'
import type { WriteParameters } from '../registry/registry.ts'
import { flag } from '../request-info.ts'

const META_GROUP = 'meta.k8s.io'
const MAX_MANAGER = 128
const PROPAGATION = ['Foreground', 'Background', 'Orphan', 'nil']

export const LIST_EVERYTHING: ListQuery = Object.freeze({
  labelSelector: '',
  fieldSelector: '',
  resourceVersion: '',
  resourceVersionMatch: '',
  limit: 0,
  continueToken: '',
  allowWatchBookmarks: false,
  sendInitialEvents: null,
})

export const PLAIN_WRITE: WriteParameters = Object.freeze({ dryRun: false, fieldManager: '', fieldValidation: 'Warn', force: false })

export function listQuery(query: URLSearchParams): ListQuery {
  if (query.size === 0) return LIST_EVERYTHING
  const text = (name: string) => query.get(name) ?? ''
  return {
    labelSelector: text('labelSelector'),
    fieldSelector: text('fieldSelector'),
    resourceVersion: text('resourceVersion'),
    resourceVersionMatch: text('resourceVersionMatch'),
    limit: Math.max(0, integer(query, 'limit') ?? 0),
    continueToken: text('continue'),
    allowWatchBookmarks: flag(query.get('allowWatchBookmarks')),
    sendInitialEvents: query.has('sendInitialEvents') ? flag(query.get('sendInitialEvents')) : null,
  }
}

/** `options` is what upstream calls them in refusals: "CreateOptions", "UpdateOptions", "PatchOptions". */
export function writeParameters(query: URLSearchParams, options: string, apply = false): WriteParameters {
  if (query.size === 0 && !apply) return PLAIN_WRITE
  const errors: FieldError[] = []
  const fieldManager = query.get('fieldManager') ?? ''
  const fieldValidation = query.get('fieldValidation') ?? ''
  const force = query.get('force')
  if (options === 'PatchOptions' && !apply && force !== null) {
    errors.push({ type: 'FieldValueForbidden', field: 'force', message: 'Forbidden: may not be specified for non-apply patch' })
  }
  if (apply && fieldManager === '') errors.push(required('fieldManager', 'is required for apply patch'))
  if (Buffer.byteLength(fieldManager) > MAX_MANAGER) errors.push(tooLong('fieldManager', MAX_MANAGER))
  else if (/\p{C}/u.test(fieldManager)) errors.push(invalid('fieldManager', fieldManager, 'should only contain printable characters'))
  errors.push(...dryRunErrors(query.getAll('dryRun')))
  if (!['', 'Ignore', 'Warn', 'Strict'].includes(fieldValidation)) {
    errors.push(notSupported('fieldValidation', fieldValidation, ['', 'Ignore', 'Strict', 'Warn']))
  }
  if (errors.length > 0) throw invalidObject({ group: META_GROUP, kind: options }, '', errors)
  return {
    dryRun: query.has('dryRun'),
    fieldManager,
    fieldValidation: fieldValidation === 'Ignore' || fieldValidation === 'Strict' ? fieldValidation : 'Warn',
    force: flag(force),
  }
}

export function deletionFromQuery(query: URLSearchParams): Deletion {
  if (query.size === 0) return {}
  const grace = integer(query, 'gracePeriodSeconds')
  const policy = query.get('propagationPolicy')
  return checkDeletion({
    ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
    ...(policy === null ? {} : { propagationPolicy: policy }),
    ...(query.has('orphanDependents') ? { orphanDependents: flag(query.get('orphanDependents')) } : {}),
    ...(query.has('dryRun') ? { dryRun: query.getAll('dryRun') } : {}),
  })
}

export function checkDeletion(deletion: Deletion): Deletion {
  const { orphanDependents, propagationPolicy } = deletion
  const errors: FieldError[] = []
  if (orphanDependents !== undefined && propagationPolicy !== undefined) {
    errors.push(invalid('propagationPolicy', propagationPolicy, 'orphanDependents and deletionPropagation cannot be both set'))
  }
  if (propagationPolicy !== undefined && !PROPAGATION.slice(0, 3).includes(propagationPolicy)) {
    errors.push(notSupported('propagationPolicy', propagationPolicy, PROPAGATION))
  }
  errors.push(...dryRunErrors(deletion.dryRun ?? []))
  if (errors.length > 0) throw invalidObject({ group: META_GROUP, kind: 'DeleteOptions' }, '', errors)
  return deletion
}

function dryRunErrors(values: readonly string[]): FieldError[] {
  return values.every((v) => v === 'All') ? [] : [notSupported('dryRun', values, ['All'])]
}

export function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}
