import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { limitRange, persistentVolumeClaim, pod, runtimeClass } from '../../api/kinds.gen.ts'
import type { LimitRangeItem, Pod, ResourceRequirements } from '../../api/core/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { startTestServer, type TestServer } from '../testing/harness.ts'

let test: TestServer
beforeEach(async () => {
  test = await startTestServer()
})
afterEach(() => test.stop())

const at = (name: string) => ({ name, namespace: 'default' })
const limits = (...items: Draft<LimitRangeItem>[]) => test.client.create(limitRange, { metadata: at('l'), spec: { limits: items } })
const create = (resources: Draft<ResourceRequirements>, more: Draft<Pod['spec']> = {}) =>
  test.client.create(pod, { metadata: at('p'), spec: { containers: [{ name: 'c', image: 'i', resources }], ...more } })

describe('a limit range', () => {
  it('fills in what containers do not say, and tells so', async () => {
    await limits({ type: 'Container', default: { cpu: '1', memory: '1Gi' }, defaultRequest: { cpu: '500m' } })
    const { spec, metadata } = await create(
      { limits: { cpu: '800m' }, requests: { cpu: '100m' } },
      { initContainers: [{ name: 'first', image: 'i' }] },
    )
    expect(spec.containers[0]?.resources).toEqual({ requests: { cpu: '100m', memory: '1Gi' }, limits: { cpu: '800m', memory: '1Gi' } })
    expect(spec.initContainers?.[0]?.resources).toEqual({ requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } })
    expect(metadata.annotations?.['kubernetes.io/limit-ranger']).toBe(
      'LimitRanger plugin set: memory request for container c; memory limit for container c; cpu, memory request for init container first; cpu, memory limit for init container first',
    )
  })

  it.each<[what: string, item: Draft<LimitRangeItem>, resources: Draft<ResourceRequirements>, why: string]>([
    [
      'too little',
      { type: 'Container', min: { cpu: '100m' } },
      { requests: { cpu: '50m' } },
      'minimum cpu usage per Container is 100m, but request is 50m',
    ],
    ['nothing', { type: 'Pod', min: { cpu: '100m' } }, {}, 'minimum cpu usage per Pod is 100m.  No request is specified'],
    [
      'too much',
      { type: 'Container', max: { cpu: '1' }, default: { cpu: '1' } },
      { limits: { cpu: '2' } },
      'maximum cpu usage per Container is 1, but limit is 2',
    ],
    ['no limit', { type: 'Pod', max: { cpu: '1' } }, { requests: { cpu: '1' } }, 'maximum cpu usage per Pod is 1.  No limit is specified'],
    [
      'far more than it asks for',
      { type: 'Container', maxLimitRequestRatio: { cpu: '2' } },
      { requests: { cpu: '100m' }, limits: { cpu: '300m' } },
      'cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000',
    ],
  ])('refuses a pod that wants %s', async (_, item, resources, why) => {
    await limits(item)
    await expect(create(resources)).rejects.toMatchObject({ code: 403, message: `pods "p" is forbidden: ${why}` })
  })

  it('adds up the containers of a pod', async () => {
    await limits({ type: 'Pod', max: { memory: '1Gi' } })
    const half = { limits: { memory: '512Mi' } }
    const second = (resources: Draft<ResourceRequirements>) => [
      { name: 'a', image: 'i', resources: half },
      { name: 'b', image: 'i', resources },
    ]
    await expect(create({}, { containers: second({ limits: { memory: '513Mi' } }) })).rejects.toThrow('but limit is 1025Mi')
    await expect(create({}, { containers: second({}) })).rejects.toThrow('No limit is specified')
    await create({}, { containers: second(half) })
  })

  it('bounds claims', async () => {
    await limits({ type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '2Gi' } })
    const claim = (storage: string) =>
      test.client.create(persistentVolumeClaim, {
        metadata: at(`c${storage.toLowerCase()}`),
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
      })
    await claim('1Gi')
    await expect(claim('512Mi')).rejects.toThrow('minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 512Mi')
    await expect(claim('3Gi')).rejects.toThrow('maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi')
  })

  it('leaves other namespaces alone, and pods that are there', async () => {
    const before = await create({})
    await limits({ type: 'Container', min: { cpu: '1' }, max: { cpu: '1' } })
    await test.client.patch(pod, before.metadata, { type: 'merge', body: { metadata: { labels: { a: 'b' } } } })
    const elsewhere = { name: 'p', namespace: 'kube-system' }
    const made = await test.client.create(pod, { metadata: elsewhere, spec: { containers: [{ name: 'c', image: 'i' }] } })
    expect(made.spec.containers[0]?.resources).toEqual({})
  })
})

describe('a runtime class', () => {
  const scheduling = { nodeSelector: { kata: 'yes' }, tolerations: [{ key: 'kata', operator: 'Exists' as const }] }
  beforeEach(() =>
    test.client.create(runtimeClass, { metadata: { name: 'kata' }, handler: 'kata', overhead: { podFixed: { cpu: '250m' } }, scheduling }),
  )

  it('adds to its pods what it costs and where they may go', async () => {
    const { spec } = await create({}, { runtimeClassName: 'kata', nodeSelector: { disk: 'ssd' } })
    expect(spec.overhead).toEqual({ cpu: '250m' })
    expect(spec.nodeSelector).toEqual({ disk: 'ssd', kata: 'yes' })
    expect(spec.tolerations).toContainEqual({ key: 'kata', operator: 'Exists' })
  })

  it.each<[what: string, spec: Draft<Pod['spec']>, why: string]>([
    ['is not there', { runtimeClassName: 'none' }, 'RuntimeClass "none" not found'],
    [
      'is for other nodes',
      { runtimeClassName: 'kata', nodeSelector: { kata: 'no' } },
      'conflict: runtimeClass.scheduling.nodeSelector[kata] = yes; pod.spec.nodeSelector[kata] = no',
    ],
    [
      'costs something else',
      { runtimeClassName: 'kata', overhead: { cpu: '1' } },
      "Pod's Overhead doesn't match RuntimeClass's defined Overhead",
    ],
    ['is none', { overhead: { cpu: '1' } }, 'Pod Overhead set without corresponding RuntimeClass defined Overhead'],
  ])('refuses a pod where it %s', async (_, spec, why) => {
    await expect(create({}, spec)).rejects.toMatchObject({ code: 403, message: `pods "p" is forbidden: pod rejected: ${why}` })
  })
})
