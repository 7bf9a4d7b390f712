import { expect, it } from 'vitest'
import type { Event } from '../../../../electron/api/core/v1/types.gen.ts'
import { eventRow } from '../../kube/event-rows.ts'
import { eventGroups, histogram, stemOf } from './event-groups.ts'

const T0 = Date.parse('2026-11-21T12:00:00Z')
const at = (minutes: number) => new Date(T0 + minutes * 60_000).toISOString()
let uid = 0
const event = (type: string, reason: string, name: string, minutes: number, count = 1, kind = 'Pod') =>
  eventRow({
    metadata: { uid: String(uid++), name: 'x', creationTimestamp: at(minutes) },
    type,
    reason,
    count,
    firstTimestamp: at(minutes - count + 1),
    lastTimestamp: at(minutes),
    involvedObject: { kind, namespace: 'shop', name, apiVersion: 'v1' },
    message: `${reason} of ${name}`,
  } as unknown as Event)

it('names lose what was made up for them', () => {
  expect(stemOf('Pod', 'web-66b9c4d58f-zq6gd')).toBe('web')
  expect(stemOf('Pod', 'node-logs-x7m4d')).toBe('node-logs')
  expect(stemOf('Pod', 'ledger-0')).toBe('ledger-0')
  expect(stemOf('ReplicaSet', 'web-66b9c4d58f')).toBe('web')
  expect(stemOf('Node', 'moth-66b9c4d58f')).toBe('moth-66b9c4d58f')
})

it('what broke comes first, the same of one workload as one', () => {
  const groups = eventGroups([
    event('Normal', 'Pulled', 'web-66b9c4d58f-zq6gd', 9),
    event('Warning', 'BackOff', 'web-66b9c4d58f-zq6gd', 3, 4),
    event('Warning', 'BackOff', 'web-66b9c4d58f-x7m4d', 5, 2),
    event('Warning', 'Failed', 'ledger-0', 8),
  ])
  expect(groups.map(({ reason, name, count }) => [reason, name, count])).toEqual([
    ['Failed', 'ledger-0', 1],
    ['BackOff', 'web', 6],
    ['Pulled', 'web-66b9c4d58f-zq6gd', 1],
  ])
  expect(groups[1]).toMatchObject({ last: at(5), first: at(0), message: 'BackOff of web-66b9c4d58f-x7m4d' })
  expect(groups[1]?.rows.map(({ about }) => about.name)).toEqual(['web-66b9c4d58f-x7m4d', 'web-66b9c4d58f-zq6gd'])
})

it('a histogram counts first and last times, and nothing beyond its ends', () => {
  const rows = [event('Warning', 'BackOff', 'a', 9, 3), event('Normal', 'Pulled', 'b', 9), event('Normal', 'Pulled', 'c', -60)]
  const slots = histogram(rows, T0 + 10 * 60_000, 60_000, 5)
  expect(slots.map(({ warnings, others }) => [warnings, others])).toEqual([
    [0, 0],
    [1, 0],
    [0, 0],
    [1, 1],
    [0, 0],
  ])
  expect(slots[0]?.at).toBe(T0 + 6 * 60_000)
})
