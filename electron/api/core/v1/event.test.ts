import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, row, stored } from '../../testing/rules.ts'
import { event } from './event.ts'

const POD = { kind: 'Pod', namespace: 'default', name: 'web' }
const of = (more: Loose = {}): Loose => ({ involvedObject: POD, ...more })
const newer = (more: Loose = {}) =>
  of({
    eventTime: '2026-01-01T00:30:00.000000Z',
    reportingComponent: 'a.b/c',
    reportingInstance: 'c-1',
    action: 'Act',
    reason: 'Why',
    ...more,
  })

describe('an event', () => {
  it.each<[what: string, manifest: Loose, errors: string[]]>([
    ['of the older sort', of({ source: { component: 'kubelet' } }), []],
    ['of the newer sort', newer(), []],
    ['of nothing in a namespace', of({ involvedObject: { kind: 'Node', name: 'n' } }), []],
    [
      'elsewhere than what it is about',
      of({ involvedObject: { ...POD, namespace: 'other' } }),
      ['involvedObject.namespace: Invalid value: "other": does not match event.namespace'],
    ],
    [
      'of the newer sort that does not say enough',
      newer({ reportingComponent: '', reportingInstance: 'x'.repeat(129), action: '', reason: 'x'.repeat(129), message: 'x'.repeat(1025) }),
      [
        'reportingController: Required value',
        'reportingController: Invalid value: "": name part must be non-empty',
        "reportingController: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        'reportingInstance: Invalid value: "": can have at most 128 characters',
        'action: Required value',
        'reason: Invalid value: "": can have at most 128 characters',
        'message: Invalid value: "": can have at most 1024 characters',
      ],
    ],
  ])('%s', (_, manifest, errors) => {
    expect(created(event, manifest).errors).toEqual(errors)
  })

  it('of something without a namespace belongs to the default one', () => {
    const { errors } = created(event, { metadata: { namespace: 'kube-public' }, involvedObject: { kind: 'Node', name: 'n' } })
    expect(errors).toEqual(['involvedObject.namespace: Invalid value: "": does not match event.namespace'])
  })

  it.each<[what: string, manifest: Loose, expected: Loose]>([
    [
      'of the older sort',
      of({
        type: 'Warning',
        reason: 'BackOff',
        message: 'again \n',
        source: { component: 'kubelet', host: 'n' },
        firstTimestamp: '2026-01-01T00:30:00Z',
        lastTimestamp: '2026-01-01T00:55:00Z',
        count: 4,
      }),
      {
        'Last Seen': '5m',
        Type: 'Warning',
        Reason: 'BackOff',
        Object: 'pod/web',
        Source: 'kubelet, n',
        Message: 'again',
        'First Seen': '30m',
        Count: 4,
        Name: 'one',
      },
    ],
    [
      'of the newer sort',
      newer({ involvedObject: { ...POD, fieldPath: 'spec.containers{app}' } }),
      { 'Last Seen': '30m', Object: 'pod/web', Subobject: 'spec.containers{app}', Source: 'a.b/c, c-1', 'First Seen': '30m', Count: 1 },
    ],
    [
      'of the newer sort that comes again and again',
      newer({ series: { count: 7, lastObservedTime: '2026-01-01T00:59:30.000000Z' } }),
      { 'Last Seen': '30s', Count: 7 },
    ],
    ['without times', of(), { 'Last Seen': '<unknown>', 'First Seen': '<unknown>' }],
  ])('%s is shown', (_, manifest, expected) => {
    expect(row(event, stored(event, manifest))).toMatchObject(expected)
  })

  it('is found by what it is about and by who reports it', () => {
    const read = (manifest: Loose) =>
      Object.fromEntries(Object.entries(event.selectableFields).map(([name, field]) => [name, field(stored(event, manifest))]))
    expect(read(newer())).toMatchObject({ 'involvedObject.name': 'web', reportingComponent: 'a.b/c', source: 'a.b/c', reason: 'Why' })
    expect(read(of({ source: { component: 'kubelet' } }))).toMatchObject({ source: 'kubelet', reportingComponent: '' })
  })
})
