import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { persistentVolume, persistentVolumeClaim, storageClass } from '../../api/kinds.gen.ts'
import type { PersistentVolumeClaim } from '../../api/core/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { startTestServer, type TestServer } from '../testing/harness.ts'

let test: TestServer
beforeEach(async () => {
  test = await startTestServer()
})
afterEach(() => test.stop())

const at = { name: 'data', namespace: 'default' }
const DEFAULT = { 'storageclass.kubernetes.io/is-default-class': 'true' }
const addClass = (name: string, annotations = {}, allowVolumeExpansion = false) =>
  test.client.create(storageClass, { metadata: { name, annotations }, provisioner: 'example.com/disks', allowVolumeExpansion })
const addClaim = (spec: Draft<PersistentVolumeClaim['spec']> = {}) =>
  test.client.create(persistentVolumeClaim, {
    metadata: at,
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
  })
const grow = (storage: string) =>
  test.client.patch(persistentVolumeClaim, at, { type: 'merge', body: { spec: { resources: { requests: { storage } } } } })

describe('claims without a class', () => {
  it('get the youngest default class', async () => {
    await addClass('old', DEFAULT)
    await test.clock.advance(5000)
    await addClass('new', DEFAULT)
    await addClass('other')
    expect((await addClaim()).spec.storageClassName).toBe('new')
  })

  it('keep what they say, and stay without where there is no default', async () => {
    await addClass('other')
    expect((await addClaim()).spec.storageClassName).toBeUndefined()
    await test.client.patch(persistentVolumeClaim, at, { type: 'merge', body: { metadata: { finalizers: null } } })
    await test.client.delete(persistentVolumeClaim, at)
    await addClass('standard', DEFAULT)
    expect((await addClaim({ storageClassName: '' })).spec.storageClassName).toBe('')
  })
})

describe('claims and volumes', () => {
  it('are protected from their first moment on', async () => {
    expect((await addClaim()).metadata.finalizers).toEqual(['kubernetes.io/pvc-protection'])
    const made = await test.client.create(persistentVolume, {
      metadata: { name: 'pv', finalizers: ['example.com/mine'] },
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/srv' } },
    })
    expect(made.metadata.finalizers).toEqual(['example.com/mine', 'kubernetes.io/pv-protection'])
  })
})

describe('claims that grow', () => {
  const bound = () =>
    test.client.patch(
      persistentVolumeClaim,
      at,
      { type: 'merge', body: { status: { phase: 'Bound', capacity: { storage: '1Gi' } } } },
      { subresource: 'status' },
    )

  it('need a class that allows it', async () => {
    await addClass('firm')
    await addClaim({ storageClassName: 'firm' })
    await bound()
    await expect(grow('2Gi')).rejects.toMatchObject({
      code: 403,
      message: expect.stringMatching(
        /only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize$/,
      ),
    })
  })

  it('do so where it is allowed', async () => {
    await addClass('soft', {}, true)
    await addClaim({ storageClassName: 'soft' })
    await bound()
    expect((await grow('2Gi')).spec.resources.requests).toEqual({ storage: '2Gi' })
  })
})
