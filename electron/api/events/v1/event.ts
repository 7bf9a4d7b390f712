import { event, eventColumns } from '../../core/v1/event.ts'
import { validateEvent, validateEventUpdate, validateNewEvent } from '../../core/v1/event-validation.ts'
import type { Event as CoreEvent } from '../../core/v1/types.gen.ts'
import { defineKind } from '../../kind.ts'
import { fromCoreEvent, toCoreEvent } from './conversion.ts'
import type { Event } from './types.gen.ts'

/** The newer shape of core/v1 Event. Both are the same objects; checks speak of the fields as stored, as Kubernetes does. */
export const eventsEvent = defineKind<Event>({
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  resource: 'events',
  shortNames: ['ev'],
  namespaced: true,
  model: 'io.k8s.api.events.v1.Event',
  columns: eventColumns.map((column) => ({ ...column, value: (object, now) => column.value(toCoreEvent(object), now) })),
  selectableFields: {
    'regarding.kind': ({ regarding }) => regarding.kind ?? '',
    'regarding.namespace': ({ regarding }) => regarding.namespace ?? '',
    'regarding.name': ({ regarding }) => regarding.name ?? '',
    'regarding.uid': ({ regarding }) => regarding.uid ?? '',
    'regarding.apiVersion': ({ regarding }) => regarding.apiVersion ?? '',
    'regarding.resourceVersion': ({ regarding }) => regarding.resourceVersion ?? '',
    'regarding.fieldPath': ({ regarding }) => regarding.fieldPath ?? '',
    reason: ({ reason }) => reason ?? '',
    reportingController: ({ reportingController }) => reportingController ?? '',
    type: ({ type }) => type ?? '',
  },
  strategy: {
    // Only what is stored has a version.
    validate(object) {
      const core = toCoreEvent(object)
      return [...validateEvent(core), ...(object.metadata.resourceVersion ? [] : validateNewEvent(core))]
    },
    validateUpdate: (object, old) => validateEventUpdate(toCoreEvent(object), toCoreEvent(old)),
    allowCreateOnUpdate: true,
  },
  storedAs: { kind: event, toStored: toCoreEvent, fromStored: (stored) => fromCoreEvent(stored as CoreEvent) },
})
