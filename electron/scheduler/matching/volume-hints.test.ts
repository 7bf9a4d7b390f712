import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { PodInfo } from '../snapshot/pod-info.ts'
import { podOf } from '../testing/objects.ts'
import {
  hasClaims,
  higherLimit,
  moreRoom,
  movedVolume,
  otherTopologies,
  ownClaim,
  roomIgnored,
  waitingClass,
  withClaims,
} from './volume-hints.ts'

const ZONE = 'topology.kubernetes.io/zone'
const thing = (content: object, metadata: object = {}) => ({ metadata: { name: 'x', ...metadata }, ...content }) as unknown as KubeObject
const claiming = podOf('web', {
  spec: {
    volumes: [
      { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
      { name: 'cache', ephemeral: { volumeClaimTemplate: { spec: {} } } },
    ],
  },
})
const [web, plain] = [new PodInfo(claiming), new PodInfo(podOf('plain'))]
const limit = (count?: number) =>
  thing({ spec: { drivers: [{ name: 'disks', nodeID: 'a', ...(count === undefined ? {} : { allocatable: { count } }) }] } })
const topologies = (...values: string[]) => thing({ allowedTopologies: [{ matchLabelExpressions: [{ key: ZONE, values }] }] })
const driver = (storageCapacity: boolean) => thing({ spec: { storageCapacity } })

describe('a pod is tried again', () => {
  it.each([
    ['for a claim of its own', ownClaim(web, undefined, thing({}, { name: 'data', namespace: 'test' })), 'Queue'],
    ['for the claim of an ephemeral volume', ownClaim(web, undefined, thing({}, { name: 'web-cache', namespace: 'test' })), 'Queue'],
    ['not for a claim of that name elsewhere', ownClaim(web, undefined, thing({}, { name: 'data', namespace: 'other' })), 'Skip'],
    ['not for the claim of another', ownClaim(web, undefined, thing({}, { name: 'other', namespace: 'test' })), 'Skip'],
    ['where a pod with claims went', withClaims(web, claiming, undefined), 'Queue'],
    ['not where a pod without claims went', withClaims(web, plain.pod, undefined), 'Skip'],
    ['where something was detached, if it has claims', hasClaims(web, undefined, undefined), 'Queue'],
    ['not where something was detached, if it has none', hasClaims(plain, undefined, undefined), 'Skip'],
    ['for a new class', otherTopologies(web, undefined, topologies('a')), 'Queue'],
    ['for a class that is in more zones', otherTopologies(web, topologies('a'), topologies('a', 'b')), 'Queue'],
    ['not for a class with other labels', otherTopologies(web, topologies('a'), topologies('a')), 'Skip'],
    ['for a class that waits for pods', waitingClass(web, undefined, thing({ volumeBindingMode: 'WaitForFirstConsumer' })), 'Queue'],
    ['not for one that does not', waitingClass(web, undefined, thing({ volumeBindingMode: 'Immediate' })), 'Skip'],
    ['where room is not asked for any more', roomIgnored(web, driver(true), driver(false)), 'Queue'],
    ['not where it is', roomIgnored(web, driver(false), driver(true)), 'Skip'],
    ['where there is more room', moreRoom(web, thing({ capacity: '1Gi' }), thing({ capacity: '2Gi' })), 'Queue'],
    [
      'where a volume may be larger',
      moreRoom(web, thing({ capacity: '9Gi', maximumVolumeSize: '1Gi' }), thing({ capacity: '9Gi', maximumVolumeSize: '2Gi' })),
      'Queue',
    ],
    ['not where there is less', moreRoom(web, thing({ capacity: '2Gi' }), thing({ capacity: '1Gi' })), 'Skip'],
    ['where a node may have more volumes', higherLimit(web, limit(1), limit(2)), 'Queue'],
    ['where a node may have any number of volumes', higherLimit(web, limit(1), limit()), 'Queue'],
    ['not where it may have fewer', higherLimit(web, limit(2), limit(1)), 'Skip'],
    [
      'where a volume is in another zone',
      movedVolume([ZONE])(web, thing({}, { labels: { [ZONE]: 'a' } }), thing({}, { labels: { [ZONE]: 'b' } })),
      'Queue',
    ],
    [
      'not where a volume has another label',
      movedVolume([ZONE])(web, thing({}, { labels: { [ZONE]: 'a' } }), thing({}, { labels: { [ZONE]: 'a', x: 'y' } })),
      'Skip',
    ],
  ])('%s', (_what, hint, wanted) => {
    expect(hint).toBe(wanted)
  })
})
