/** Checks of events, by the older and the newer API. Source: kubernetes `core/validation/events.go`. */
import { immutable } from '../../meta/v1/validation.ts'
import { semanticEqual } from '../../values/equal.ts'
import { invalid, invalidEach, required, type FieldError } from '../../values/field-error.ts'
import { byteLength, dns1123Subdomain, qualifiedName } from '../../values/names.ts'
import type { Event } from './types.gen.ts'

const MAX = { reportingInstance: 128, action: 128, reason: 128, message: 1024 } as const
const WITHOUT_NAMESPACE = ['default', 'kube-system']
const MISMATCH = 'does not match event.namespace'

/** What every event must hold. Those with an `eventTime` are of the newer sort and must say more. */
export function validateEvent(event: Event): FieldError[] {
  const namespace = event.metadata.namespace ?? ''
  const involved = event.involvedObject.namespace ?? ''
  const out: FieldError[] = []
  if (event.eventTime) {
    if (!involved && !WITHOUT_NAMESPACE.includes(namespace)) out.push(invalid('involvedObject.namespace', involved, MISMATCH))
    out.push(...validateReport(event))
  } else if (involved ? involved !== namespace : namespace !== '' && namespace !== 'default') {
    out.push(invalid('involvedObject.namespace', involved, MISMATCH))
  }
  return [...out, ...invalidEach('namespace', namespace, dns1123Subdomain(namespace))]
}

function validateReport(event: Event): FieldError[] {
  const { reportingComponent: controller, reportingInstance, action = '', reason = '', message = '' } = event
  const tooLong = (field: keyof typeof MAX, value: string) =>
    byteLength(value) > MAX[field] ? [invalid(field, '', `can have at most ${MAX[field]} characters`)] : []
  const need = (field: string, value: string) => (value ? [] : [required(field)])
  return [
    ...need('reportingController', controller),
    ...invalidEach('reportingController', controller, qualifiedName(controller)),
    ...need('reportingInstance', reportingInstance),
    ...tooLong('reportingInstance', reportingInstance),
    ...need('action', action),
    ...tooLong('action', action),
    ...need('reason', reason),
    ...tooLong('reason', reason),
    ...tooLong('message', message),
  ]
}

/** What the newer API asks for in a new event beyond that. */
export function validateNewEvent(event: Event): FieldError[] {
  const unset = (field: string, isSet: boolean) => (isSet ? [invalid(field, '', 'needs to be unset')] : [])
  const type = event.type ?? ''
  return [
    ...validateSeries(event),
    ...(event.eventTime ? [] : [required('eventTime')]),
    ...(type === 'Normal' || type === 'Warning' ? [] : [invalid('type', '', `has invalid value: ${type}`)]),
    ...unset('firstTimestamp', event.firstTimestamp !== undefined),
    ...unset('lastTimestamp', event.lastTimestamp !== undefined),
    ...unset('count', !!event.count),
    ...unset('source', !!event.source.component || !!event.source.host),
  ]
}

function validateSeries({ series }: Event): FieldError[] {
  if (!series) return []
  return [
    ...((series.count ?? 0) < 2 ? [invalid('series.count', '', 'should be at least 2')] : []),
    ...(series.lastObservedTime ? [] : [required('series.lastObservedTime')]),
  ]
}

const FIXED: readonly (readonly [field: keyof Event, shown: string])[] = [
  ['involvedObject', 'involvedObject'],
  ['reason', 'reason'],
  ['message', 'message'],
  ['source', 'source'],
  ['firstTimestamp', 'firstTimestamp'],
  ['lastTimestamp', 'lastTimestamp'],
  ['count', 'count'],
  ['type', 'type'],
  ['eventTime', 'eventTime'],
  ['action', 'action'],
  ['related', 'related'],
  ['reportingComponent', 'reportingController'],
  ['reportingInstance', 'reportingInstance'],
]

/** By the newer API only the series may change. */
export function validateEventUpdate(event: Event, old: Event): FieldError[] {
  return [
    ...(semanticEqual(event.series, old.series) ? [] : validateSeries(event)),
    ...FIXED.flatMap(([field, shown]) => immutable(shown, event[field], old[field])),
  ]
}
