import { expect, it } from 'vitest'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { podOf } from '../testing/objects.ts'
import { PodInfo } from './pod-info.ts'

const shown = ({ requests, nonZero, filled, hostPorts, terms, likeness, demand, startTime }: PodInfo) => ({
  ...{ requests, nonZero, filled, hostPorts, terms, likeness, demand, startTime },
})
const web = podOf('web', { requests: { cpu: '1' }, labels: { app: 'web' }, hostPorts: [80] })
const resized = { containerStatuses: [{ name: 'app', resources: { requests: { cpu: '2' } } }] }

it.each<[string, Partial<Pod>]>([
  ['a newer status', { status: { ...web.status, phase: 'Running' } }],
  ['a start', { status: { ...web.status, startTime: '2026-01-01T00:00:00Z' } }],
  ['other labels', { metadata: { ...web.metadata, labels: { app: 'api' } } }],
  ['no labels', { metadata: { ...web.metadata, labels: undefined } }],
  ['a deletion', { metadata: { ...web.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }],
  ['another spec', { spec: podOf('web', { requests: { cpu: '3' }, hostPorts: [443] }).spec }],
  ['resources in the status', { status: { ...web.status, ...resized } as unknown as Pod['status'] }],
])('a pod with %s is what it would be without its earlier state', (_what, change) => {
  const before = new PodInfo(web)
  shown(before)
  const now: Pod = { ...web, ...change }
  expect(shown(new PodInfo(now, before))).toEqual(shown(new PodInfo(now)))
  const later = new PodInfo(now)
  shown(later)
  expect(shown(new PodInfo(web, later))).toEqual(shown(new PodInfo(web)))
})
