/** Events in their newer shape, and the same in the older, which is how they are stored. Source: kubernetes `apis/events/v1/conversion.go`. */
import type { Event as CoreEvent } from '../../core/v1/types.gen.ts'
import type { Event } from './types.gen.ts'

export function toCoreEvent(event: Event): CoreEvent {
  const { kind: _kind, apiVersion: _version, deprecatedCount, deprecatedFirstTimestamp, deprecatedLastTimestamp, ...rest } = event
  const { deprecatedSource, note, regarding, reportingController, reportingInstance, ...same } = rest
  return {
    apiVersion: 'v1',
    kind: 'Event',
    ...same,
    involvedObject: regarding ?? {},
    source: deprecatedSource ?? {},
    reportingComponent: reportingController ?? '',
    reportingInstance: reportingInstance ?? '',
    ...defined({
      message: note,
      count: deprecatedCount,
      firstTimestamp: deprecatedFirstTimestamp,
      lastTimestamp: deprecatedLastTimestamp,
    }),
  }
}

export function fromCoreEvent(event: CoreEvent): Event {
  const { kind: _kind, apiVersion: _version, count, firstTimestamp, lastTimestamp, source, message, ...rest } = event
  const { involvedObject, reportingComponent, eventTime, series, ...same } = rest
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    ...same,
    // Older events have none; Go's zero time is written as null.
    eventTime: eventTime as string,
    regarding: involvedObject,
    deprecatedSource: source,
    ...defined({
      note: message,
      reportingController: reportingComponent || undefined,
      deprecatedCount: count,
      deprecatedFirstTimestamp: firstTimestamp,
      deprecatedLastTimestamp: lastTimestamp,
      series: series && { count: series.count ?? 0, lastObservedTime: series.lastObservedTime as string },
    }),
  }
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

const defined = <T extends object>(values: T): Defined<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>
