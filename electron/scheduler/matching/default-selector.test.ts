import { expect, test } from 'vitest'
import type { ReplicaSet } from '../../api/apps/v1/types.gen.ts'
import type { Service } from '../../api/core/v1/types.gen.ts'
import { NO_OBJECTS } from '../snapshot/cluster-objects.ts'
import { PodInfo } from '../snapshot/pod-info.ts'
import { podOf } from '../testing/objects.ts'
import { defaultSelector } from './default-selector.ts'

const service = (selector: Record<string, string>) => ({ spec: { selector } }) as unknown as Service
const pod = podOf('web', { labels: { app: 'web', tier: 'front' } })

test('joins the selectors of all services that select the pod', () => {
  const objects = { ...NO_OBJECTS, services: () => [service({ app: 'web' }), service({ tier: 'front' }), service({ app: 'db' })] }
  const selector = defaultSelector(new PodInfo(pod), objects)
  expect([selector?.matches({ app: 'web', tier: 'front' }), selector?.matches({ app: 'web' })]).toEqual([true, false])
})

test('goes by the pod’s owner, and is nothing where there is neither', () => {
  const set = { spec: { selector: { matchLabels: { app: 'web' } } } } as unknown as ReplicaSet
  const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1', uid: 'u', controller: true }]
  const owned = new PodInfo({ ...pod, metadata: { ...pod.metadata, ownerReferences } })
  expect(defaultSelector(owned, { ...NO_OBJECTS, replicaSet: () => set })?.matches({ app: 'web' })).toBe(true)
  expect(defaultSelector(new PodInfo(pod), NO_OBJECTS)).toBeNull()
})
