import { defineKind, type Column } from '../../kind.ts'
import { pathSegmentName } from '../../values/names.ts'
import { age } from '../../values/time.ts'
import { validateEvent } from './event-validation.ts'
import type { Event } from './types.gen.ts'

/** When it was first seen, and when last. */
function firstSeen({ firstTimestamp, eventTime }: Event, now: number): string {
  return age(firstTimestamp ?? eventTime, now)
}

function lastSeen(event: Event, now: number): string {
  if (event.series) return age(event.series.lastObservedTime, now)
  return event.lastTimestamp ? age(event.lastTimestamp, now) : firstSeen(event, now)
}

function objectText({ involvedObject: { kind = '', name } }: Event): string {
  return name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase()
}

function sourceText({ source, reportingComponent, reportingInstance }: Event): string {
  const [component, instance] = [source.component || reportingComponent, source.host || reportingInstance]
  return instance ? `${component}, ${instance}` : component
}

export const eventColumns: readonly Column<Event>[] = [
  { name: 'Last Seen', type: 'string', description: 'How long ago it happened last', value: lastSeen },
  { name: 'Type', type: 'string', description: 'Normal or Warning', value: ({ type }) => type ?? '' },
  { name: 'Reason', type: 'string', description: 'Why, in a word for machines', value: ({ reason }) => reason ?? '' },
  { name: 'Object', type: 'string', description: 'What it is about', value: objectText },
  {
    name: 'Subobject',
    type: 'string',
    priority: 1,
    description: 'Part of the object that it is about',
    value: ({ involvedObject }) => involvedObject.fieldPath ?? '',
  },
  { name: 'Source', type: 'string', priority: 1, description: 'Who reports it, and where', value: sourceText },
  { name: 'Message', type: 'string', description: 'What happened, for people', value: ({ message }) => (message ?? '').trim() },
  { name: 'First Seen', type: 'string', priority: 1, description: 'How long ago it happened first', value: firstSeen },
  {
    name: 'Count',
    type: 'string',
    priority: 1,
    description: 'How often it happened',
    value: ({ series, count }) => (series ? (series.count ?? 0) : count || 1),
  },
  { name: 'Name', type: 'string', format: 'name', priority: 1, description: 'Name of the event', value: ({ metadata }) => metadata.name },
]

export const event = defineKind<Event>({
  group: '',
  version: 'v1',
  kind: 'Event',
  resource: 'events',
  shortNames: ['ev'],
  namespaced: true,
  model: 'io.k8s.api.core.v1.Event',
  validateName: pathSegmentName,
  columns: eventColumns,
  selectableFields: {
    'involvedObject.kind': ({ involvedObject }) => involvedObject.kind ?? '',
    'involvedObject.namespace': ({ involvedObject }) => involvedObject.namespace ?? '',
    'involvedObject.name': ({ involvedObject }) => involvedObject.name ?? '',
    'involvedObject.uid': ({ involvedObject }) => involvedObject.uid ?? '',
    'involvedObject.apiVersion': ({ involvedObject }) => involvedObject.apiVersion ?? '',
    'involvedObject.resourceVersion': ({ involvedObject }) => involvedObject.resourceVersion ?? '',
    'involvedObject.fieldPath': ({ involvedObject }) => involvedObject.fieldPath ?? '',
    reason: ({ reason }) => reason ?? '',
    reportingComponent: ({ reportingComponent }) => reportingComponent,
    source: ({ source, reportingComponent }) => source.component || reportingComponent,
    type: ({ type }) => type ?? '',
  },
  strategy: { validate: validateEvent, allowCreateOnUpdate: true },
})
