import { describe, expect, it } from 'vitest'
import { pod, service, persistentVolumeClaim, deployment, configMap } from '../../api/kinds.gen.ts'
import type { Pod, ResourceQuota, ResourceQuotaSpec } from '../../api/core/v1/types.gen.ts'
import type { AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { container, testPod, type Loose } from '../../api/testing/objects.ts'
import { chargeQuota } from './charge.ts'
import { quotaCovers } from './scopes.ts'
import { totalUsage } from './total.ts'
import { quotaUsage } from './usage.ts'

const NOW = Date.parse('2026-01-01T01:00:00Z')
const object = (more: Loose): KubeObject => ({ metadata: {}, status: {}, ...more }) as unknown as KubeObject
const resources = (requests: Loose, limits: Loose = {}) => testPod({ containers: [container({ resources: { requests, limits } })] })

describe('usage', () => {
  it.each<[what: string, kind: AnyKind, object: KubeObject, usage: Loose]>([
    ['a kind of a group', deployment, object({}), { 'count/deployments.apps': '1' }],
    ['a core kind', configMap, object({}), { 'count/configmaps': '1', configmaps: '1' }],
    [
      'a pod',
      pod,
      resources({ cpu: '1', 'ephemeral-storage': '1Gi', 'example.com/dongle': '2', 'hugepages-2Mi': '2Mi' }, { memory: '1Gi' }),
      {
        'count/pods': '1',
        pods: '1',
        cpu: '1',
        'requests.cpu': '1',
        'ephemeral-storage': '1Gi',
        'requests.ephemeral-storage': '1Gi',
        'requests.example.com/dongle': '2',
        'hugepages-2Mi': '2Mi',
        'requests.hugepages-2Mi': '2Mi',
        memory: '1Gi',
        'requests.memory': '1Gi',
        'limits.memory': '1Gi',
      },
    ],
    ['a pod that ended', pod, testPod({}, {}, { phase: 'Succeeded' }), { 'count/pods': '1' }],
    [
      'a pod that should have ended',
      pod,
      testPod({}, { deletionTimestamp: '2026-01-01T00:59:00Z', deletionGracePeriodSeconds: 30 }),
      { 'count/pods': '1' },
    ],
    [
      'a balanced Service',
      service,
      object({ spec: { type: 'LoadBalancer', ports: [{ port: 80 }, { port: 81 }] } }),
      { 'count/services': '1', services: '1', 'services.nodeports': '2', 'services.loadbalancers': '1' },
    ],
    [
      'a balanced Service without node ports',
      service,
      object({ spec: { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false, ports: [{ port: 80 }] } }),
      { 'count/services': '1', services: '1', 'services.nodeports': '0', 'services.loadbalancers': '1' },
    ],
    [
      'a claim',
      persistentVolumeClaim,
      object({ spec: { storageClassName: 'fast', resources: { requests: { storage: '1Gi' } } } }),
      {
        'count/persistentvolumeclaims': '1',
        persistentvolumeclaims: '1',
        'requests.storage': '1Gi',
        'fast.storageclass.storage.k8s.io/persistentvolumeclaims': '1',
        'fast.storageclass.storage.k8s.io/requests.storage': '1Gi',
      },
    ],
  ])('of %s', (_, kind, counted, usage) => {
    expect(quotaUsage(kind, counted, NOW)).toEqual(usage)
  })
})

describe('scopes', () => {
  const expression = (scopeName: string, operator: string, ...values: string[]): ResourceQuotaSpec =>
    ({ scopeSelector: { matchExpressions: [{ scopeName, operator, values }] } }) as ResourceQuotaSpec
  const important = testPod({ priorityClassName: 'high' })
  const affine = testPod({
    affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'a', namespaces: ['other'] }] } },
  })

  it.each<[what: string, spec: ResourceQuotaSpec, object: Pod, covered: boolean]>([
    ['no scope', {}, testPod(), true],
    ['Terminating with a deadline', { scopes: ['Terminating'] }, testPod({ activeDeadlineSeconds: 1 }), true],
    ['Terminating without', { scopes: ['Terminating'] }, testPod(), false],
    ['NotTerminating with a deadline', { scopes: ['NotTerminating'] }, testPod({ activeDeadlineSeconds: 1 }), false],
    ['BestEffort without resources', { scopes: ['BestEffort'] }, testPod(), true],
    ['NotBestEffort without resources', { scopes: ['NotBestEffort'] }, testPod(), false],
    ['both of two', { scopes: ['BestEffort', 'NotTerminating'] }, testPod(), true],
    ['one of two', { scopes: ['BestEffort', 'Terminating'] }, testPod(), false],
    ['a priority', expression('PriorityClass', 'In', 'high'), important, true],
    ['other priorities', expression('PriorityClass', 'NotIn', 'high'), important, false],
    ['any priority', expression('PriorityClass', 'Exists'), testPod(), false],
    ['no priority', expression('PriorityClass', 'DoesNotExist'), testPod(), true],
    ['affinity across namespaces', expression('CrossNamespacePodAffinity', 'Exists'), affine, true],
    ['affinity within one', expression('CrossNamespacePodAffinity', 'Exists'), testPod(), false],
  ])('%s', (_, spec, counted, covered) => {
    expect(quotaCovers(spec, pod, counted)).toBe(covered)
  })

  it('are of pods, and of claims where they speak of them', () => {
    expect(quotaCovers({ scopes: ['BestEffort'] }, configMap, object({}))).toBe(false)
    const claim = object({ spec: { volumeAttributesClassName: 'gold' } })
    expect(quotaCovers(expression('VolumeAttributesClass', 'In', 'gold'), persistentVolumeClaim, claim)).toBe(true)
    expect(quotaCovers(expression('VolumeAttributesClass', 'In', 'silver'), persistentVolumeClaim, claim)).toBe(false)
  })
})

describe('a charge', () => {
  const quota = (hard: Record<string, string>, used: Record<string, string>, spec: ResourceQuotaSpec = {}) =>
    object({ metadata: { name: 'q' }, spec: { hard, ...spec }, status: { hard, used } }) as ResourceQuota

  it('adds what is taken', () => {
    const charge = chargeQuota(quota({ pods: '2', cpu: '2' }, { pods: '1', cpu: '1500m' }), pod, resources({ cpu: '500m' }), null, NOW)
    expect(charge).toEqual({ type: 'charged', used: { pods: '2', cpu: '2' } })
  })

  it.each<[what: string, quota: ResourceQuota, object: KubeObject, why: string]>([
    [
      'too much',
      quota({ pods: '2', cpu: '1' }, { pods: '1', cpu: '600m' }),
      resources({ cpu: '500m' }),
      'exceeded quota: q, requested: cpu=500m, used: cpu=600m, limited: cpu=1',
    ],
    ['too many', quota({ pods: '1' }, { pods: '1' }), testPod(), 'exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1'],
    [
      'what nobody said',
      quota({ cpu: '1', 'limits.memory': '1' }, {}),
      testPod(),
      'failed quota: q: must specify cpu for: app; limits.memory for: app',
    ],
    ['what nobody counted', quota({ pods: '1' }, {}), testPod(), 'status unknown for quota: q, resources: pods'],
  ])('is refused for %s', (_, of, counted, why) => {
    expect(chargeQuota(of, pod, counted, null, NOW)).toEqual({ type: 'refused', why })
  })

  it('is none where the quota is for others, is not counted yet, or nothing more is taken', () => {
    const none = { type: 'none' }
    expect(chargeQuota(quota({ pods: '0' }, { pods: '0' }, { scopes: ['NotBestEffort'] }), pod, testPod(), null, NOW)).toEqual(none)
    expect(
      chargeQuota(object({ metadata: { name: 'q' }, spec: { hard: { pods: '0' } } }) as ResourceQuota, pod, testPod(), null, NOW),
    ).toEqual(none)
    expect(chargeQuota(quota({ cpu: '1' }, { cpu: '1' }), pod, resources({ cpu: '400m' }), resources({ cpu: '500m' }), NOW)).toEqual(none)
  })

  it('of a change is the difference', () => {
    const charge = chargeQuota(quota({ cpu: '1' }, { cpu: '700m' }), pod, resources({ cpu: '600m' }), resources({ cpu: '500m' }), NOW)
    expect(charge).toEqual({ type: 'charged', used: { cpu: '800m' } })
  })
})

describe('the total', () => {
  it('is of what the quota limits, and covers', () => {
    const spec: ResourceQuotaSpec = { hard: { pods: '9', cpu: '9', 'count/deployments.apps': '9' }, scopes: ['NotBestEffort'] }
    const all = [
      { kind: pod, objects: [resources({ cpu: '1' }), resources({ cpu: '250m' }), testPod()] },
      { kind: deployment, objects: [object({})] },
    ]
    expect(totalUsage(spec, all, NOW)).toEqual({ pods: '2', cpu: '1250m', 'count/deployments.apps': '0' })
  })
})
