import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Event as CoreEvent } from '../../core/v1/types.gen.ts'
import { meta, type Loose } from '../../testing/objects.ts'
import { created, row, stored, updated } from '../../testing/rules.ts'
import { fromCoreEvent, toCoreEvent } from './conversion.ts'
import { eventsEvent } from './event.ts'
import type { Event } from './types.gen.ts'

const of = (more: Loose = {}): Loose => ({
  eventTime: '2026-01-01T00:30:00.000000Z',
  regarding: { kind: 'Pod', namespace: 'default', name: 'web' },
  reportingController: 'a.b/c',
  reportingInstance: 'c-1',
  action: 'Act',
  reason: 'Why',
  type: 'Normal',
  note: 'what',
  ...more,
})

describe('an event in its newer shape', () => {
  it.each<[what: string, manifest: Loose, errors: string[]]>([
    ['an ordinary one', of(), []],
    ['of a series', of({ series: { count: 2, lastObservedTime: '2026-01-01T00:40:00.000000Z' } }), []],
    [
      'of a series of one',
      of({ series: { count: 1 } }),
      ['series.count: Invalid value: "": should be at least 2', 'series.lastObservedTime: Required value'],
    ],
    [
      'with what is only for events of old',
      of({
        type: 'Bad',
        deprecatedFirstTimestamp: '2026-01-01T00:00:00Z',
        deprecatedLastTimestamp: '2026-01-01T00:00:00Z',
        deprecatedCount: 1,
        deprecatedSource: { component: 'kubelet' },
      }),
      [
        'type: Invalid value: "": has invalid value: Bad',
        'firstTimestamp: Invalid value: "": needs to be unset',
        'lastTimestamp: Invalid value: "": needs to be unset',
        'count: Invalid value: "": needs to be unset',
        'source: Invalid value: "": needs to be unset',
      ],
    ],
    ['without a time', of({ eventTime: null }), ['eventTime: Required value']],
  ])('%s', (_, manifest, errors) => {
    expect(created(eventsEvent, manifest).errors).toEqual(errors)
  })

  it('changes in its series only', () => {
    const old = stored(eventsEvent, of())
    const again = updated(eventsEvent, old, (object) => {
      object.series = { count: 2, lastObservedTime: '2026-01-01T00:40:00.000000Z' }
    })
    expect(again.errors).toEqual([])
    const other = updated(eventsEvent, old, (object) => {
      Object.assign(object, { note: 'else', reportingController: 'a.b/d' })
    })
    expect(other.errors).toEqual([
      'message: Invalid value: "else": field is immutable',
      'reportingController: Invalid value: "a.b/d": field is immutable',
    ])
  })

  it('is shown as in its older shape', () => {
    expect(row(eventsEvent, stored(eventsEvent, of()))).toMatchObject({
      Object: 'pod/web',
      Message: 'what',
      'Last Seen': '30m',
      Name: 'one',
    })
    expect(eventsEvent.selectableFields['regarding.name']?.(stored(eventsEvent, of()))).toBe('web')
  })
})

describe('the two shapes of events', () => {
  it('have other names for the same', () => {
    const core = toCoreEvent(stored(eventsEvent, of({ deprecatedCount: 3, deprecatedSource: { host: 'n' } })))
    expect(core).toMatchObject({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'one', namespace: 'default' },
      involvedObject: { kind: 'Pod', name: 'web' },
      reportingComponent: 'a.b/c',
      reportingInstance: 'c-1',
      message: 'what',
      count: 3,
      source: { host: 'n' },
    })
    for (const name of ['regarding', 'note', 'reportingController', 'deprecatedCount', 'deprecatedSource'])
      expect(core).not.toHaveProperty(name)
  })

  const text = fc.option(fc.string({ minLength: 1 }), { nil: undefined })
  const time = fc.constantFrom(undefined, '2026-01-01T00:00:00Z')
  const anyEvent = fc.record(
    {
      eventTime: fc.constant('2026-01-01T00:00:00.000000Z'),
      regarding: fc.record({ kind: text, name: text }, { requiredKeys: [] }),
      related: fc.record({ name: text }, { requiredKeys: [] }),
      deprecatedSource: fc.record({ component: text }, { requiredKeys: [] }),
      deprecatedCount: fc.nat(),
      deprecatedFirstTimestamp: time,
      deprecatedLastTimestamp: time,
      note: text,
      reason: text,
      action: text,
      type: text,
      reportingController: text,
      reportingInstance: text,
      series: fc.record({ count: fc.nat(), lastObservedTime: fc.constant('2026-01-01T00:00:00.000000Z') }),
    },
    { requiredKeys: ['eventTime', 'regarding', 'deprecatedSource'] },
  )

  it('turn into each other without loss', () => {
    fc.assert(
      fc.property(anyEvent, (fields) => {
        const event = { apiVersion: 'events.k8s.io/v1', kind: 'Event', metadata: meta(), ...fields } as unknown as Event
        const core = toCoreEvent(event)
        expect(toCoreEvent(fromCoreEvent(core))).toEqual(core)
        // An absent instance and an empty one are the same.
        expect({ reportingInstance: '', ...JSON.parse(JSON.stringify(fromCoreEvent(core))) }).toEqual({
          ...JSON.parse(JSON.stringify({ ...event, reportingInstance: event.reportingInstance ?? '' })),
        })
      }),
    )
  })

  it('stay as they are while they are turned', () => {
    const event = stored(eventsEvent, of())
    const before = structuredClone(event)
    fromCoreEvent(toCoreEvent(event))
    expect(event).toEqual(before)
  })

  it('are stored as the older one', () => {
    const { storedAs } = eventsEvent
    const event = stored(eventsEvent, of())
    const core = storedAs?.toStored(event) as CoreEvent | undefined
    expect([storedAs?.kind.resource, storedAs?.kind.group, core?.apiVersion]).toEqual(['events', '', 'v1'])
    expect(core && storedAs?.fromStored(core)).toEqual(event)
  })
})
