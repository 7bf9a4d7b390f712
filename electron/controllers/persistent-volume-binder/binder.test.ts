import { describe, expect, it } from 'vitest'
import { persistentVolumeClaim as claimKind } from '../../api/core/v1/persistent-volume-claim.ts'
import { persistentVolume as volumeKind } from '../../api/core/v1/persistent-volume.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/core/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { storageClass as classKind } from '../../api/storage/v1/storage-class.ts'
import type { StorageClass } from '../../api/storage/v1/types.gen.ts'
import { NAMESPACE, startCluster, type TestCluster } from '../testing/cluster.ts'
import { claimOf, volumeOf } from '../testing/storage.ts'

const only = ['persistentvolume-binder-controller']
const at = (name: string) => ({ namespace: NAMESPACE, name })
const start = () => startCluster({ only })
const bindingOf = async ({ client }: TestCluster, name: string) => {
  const { status, spec } = await client.get(claimKind, at(name))
  return [status.phase, spec.volumeName]
}
const phaseOf = async ({ client }: TestCluster, name: string) => (await client.get(volumeKind, { name })).status.phase
const addClass = ({ client }: TestCluster, name: string, more: Draft<StorageClass> = {}) =>
  client.create(classKind, { provisioner: 'example.com/disks', ...more, metadata: { name, ...more.metadata } })
const make = async (cluster: TestCluster, volumes: Draft<PersistentVolume>[], claims: Draft<PersistentVolumeClaim>[]) => {
  for (const volume of volumes) await cluster.client.create(volumeKind, volume)
  for (const claim of claims) await cluster.client.create(claimKind, claim)
  await cluster.quiet()
}

describe('binding', () => {
  it('makes the smallest volume that is large enough and the claim each other’s', async () => {
    await using cluster = await start()
    const sizes = ['1Gi', '20Gi', '5Gi'].map((storage) => volumeOf(`pv-${storage.toLowerCase()}`, { capacity: { storage } }))
    await make(cluster, sizes, [claimOf('data', { resources: { requests: { storage: '3Gi' } } })])
    const claim = await cluster.client.get(claimKind, at('data'))
    expect(claim.spec.volumeName).toBe('pv-5gi')
    expect(claim.status).toEqual({ phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '5Gi' } })
    expect(claim.metadata.annotations).toEqual({ 'pv.kubernetes.io/bind-completed': 'yes', 'pv.kubernetes.io/bound-by-controller': 'yes' })
    const { metadata, spec, status } = await cluster.client.get(volumeKind, { name: 'pv-5gi' })
    expect(spec.claimRef).toMatchObject({ kind: 'PersistentVolumeClaim', ...at('data'), uid: claim.metadata.uid })
    expect(metadata.annotations).toEqual({ 'pv.kubernetes.io/bound-by-controller': 'yes' })
    expect(status).toMatchObject({ phase: 'Bound', lastPhaseTransitionTime: expect.any(String) })
    expect([await phaseOf(cluster, 'pv-1gi'), await phaseOf(cluster, 'pv-20gi')]).toEqual(['Available', 'Available'])
    expect(cluster.complaints).toEqual([])
  })

  it.each<[what: string, volume: Draft<PersistentVolume['spec']>, claim: Draft<PersistentVolumeClaim['spec']>]>([
    ['another class', { storageClassName: 'fast' }, {}],
    ['other access modes', { accessModes: ['ReadOnlyMany'] }, {}],
    ['another mode', { volumeMode: 'Block' }, {}],
    ['too little room', { capacity: { storage: '1Mi' } }, {}],
    ['other labels', {}, { selector: { matchLabels: { disk: 'ssd' } } }],
    ['other attributes', {}, { volumeAttributesClassName: 'gold' }],
  ])('does not take a volume of %s', async (_what, volume, claim) => {
    await using cluster = await start()
    await make(cluster, [volumeOf('pv', volume)], [claimOf('data', claim)])
    expect(await bindingOf(cluster, 'data')).toEqual(['Pending', undefined])
    expect(await phaseOf(cluster, 'pv')).toBe('Available')
    expect(await cluster.events('data')).toEqual([
      'FailedBinding: no persistent volumes available for this claim and no storage class is set',
    ])
  })

  it('takes a volume that comes later', async () => {
    await using cluster = await start()
    await make(cluster, [], [claimOf('data', { selector: { matchLabels: { disk: 'ssd' } } })])
    const volume = volumeOf('pv')
    await make(cluster, [{ ...volume, metadata: { ...volume.metadata, labels: { disk: 'ssd' } } }], [])
    expect(await bindingOf(cluster, 'data')).toEqual(['Bound', 'pv'])
  })

  it('gives no volume to two claims', async () => {
    await using cluster = await start()
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    await make(
      cluster,
      [volumeOf('pv-1'), volumeOf('pv-2'), volumeOf('pv-3')],
      names.map((name) => claimOf(name)),
    )
    await cluster.advance(5000)
    const bound = (await Promise.all(names.map((name) => bindingOf(cluster, name)))).filter(([phase]) => phase === 'Bound')
    expect(bound.map(([, volume]) => volume ?? '').sort((a, b) => a.localeCompare(b))).toEqual(['pv-1', 'pv-2', 'pv-3'])
  })

  it('keeps a volume for the claim that it names, and binds what a claim names', async () => {
    await using cluster = await start()
    const kept = volumeOf('kept', { capacity: { storage: '1Gi' }, claimRef: at('mine') })
    await make(cluster, [kept, volumeOf('large', { capacity: { storage: '9Gi' } })], [claimOf('other'), claimOf('mine')])
    expect([await bindingOf(cluster, 'other'), await bindingOf(cluster, 'mine')]).toEqual([
      ['Bound', 'large'],
      ['Bound', 'kept'],
    ])
    expect((await cluster.client.get(volumeKind, { name: 'kept' })).metadata.annotations).toBeUndefined()
    await make(cluster, [volumeOf('a'), volumeOf('b')], [claimOf('chooser', { volumeName: 'b' })])
    expect(await bindingOf(cluster, 'chooser')).toEqual(['Bound', 'b'])
    expect((await cluster.client.get(claimKind, at('chooser'))).metadata.annotations).toEqual({ 'pv.kubernetes.io/bind-completed': 'yes' })
  })

  it('says why a claim cannot have the volume that it names', async () => {
    await using cluster = await start()
    await make(
      cluster,
      [volumeOf('small', { capacity: { storage: '1Mi' } }), volumeOf('taken', { claimRef: at('someone') })],
      [claimOf('one', { volumeName: 'small' }), claimOf('two', { volumeName: 'taken' }), claimOf('three', { volumeName: 'none' })],
    )
    expect(await cluster.events('one')).toEqual(['VolumeMismatch: Cannot bind to requested volume "small": requested PV is too small'])
    expect(await cluster.events('two')).toEqual(['FailedBinding: volume "taken" already bound to a different claim.'])
    expect(await bindingOf(cluster, 'three')).toEqual(['Pending', 'none'])
    await make(cluster, [volumeOf('none')], [])
    expect(await bindingOf(cluster, 'three')).toEqual(['Bound', 'none'])
  })
})

describe('classes', () => {
  it('ask their provisioner for a volume', async () => {
    await using cluster = await start()
    await addClass(cluster, 'fast')
    await make(cluster, [], [claimOf('data', { storageClassName: 'fast' })])
    expect((await cluster.client.get(claimKind, at('data'))).metadata.annotations).toEqual({
      'volume.kubernetes.io/storage-provisioner': 'example.com/disks',
      'volume.beta.kubernetes.io/storage-provisioner': 'example.com/disks',
    })
    expect(await cluster.events('data')).toEqual([
      expect.stringMatching(
        /^ExternalProvisioning: Waiting for a volume to be created either by the external provisioner 'example\.com\/disks' or manually/,
      ),
    ])
  })

  it('that are not there, or have nobody who makes volumes, are named', async () => {
    await using cluster = await start()
    await addClass(cluster, 'manual', { provisioner: 'kubernetes.io/no-provisioner' })
    await make(cluster, [], [claimOf('one', { storageClassName: 'nowhere' }), claimOf('two', { storageClassName: 'manual' })])
    expect(await cluster.events('one')).toEqual(['ProvisioningFailed: storageclass.storage.k8s.io "nowhere" not found'])
    expect(await cluster.events('two')).toEqual(['ProvisioningFailed: no volume plugin matched name: kubernetes.io/no-provisioner'])
  })

  it('become that of waiting claims that name none, if they are the default', async () => {
    await using cluster = await start()
    await make(cluster, [], [claimOf('data'), claimOf('none', { storageClassName: '' })])
    await addClass(cluster, 'standard', { metadata: { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } } })
    await cluster.quiet()
    expect((await cluster.client.get(claimKind, at('data'))).spec.storageClassName).toBe('standard')
    expect((await cluster.client.get(claimKind, at('none'))).spec.storageClassName).toBe('')
  })

  it('wait for a pod, and take no volume before the scheduler chose one', async () => {
    await using cluster = await start()
    await addClass(cluster, 'late', { volumeBindingMode: 'WaitForFirstConsumer' })
    const storageClassName = 'late'
    await make(cluster, [volumeOf('pv', { storageClassName })], [claimOf('data', { storageClassName })])
    expect(await cluster.events('data')).toEqual(['WaitForFirstConsumer: waiting for first consumer to be created before binding'])
    const annotations = { 'volume.kubernetes.io/selected-node': 'node-0' }
    await cluster.client.patch(claimKind, at('data'), { type: 'merge', body: { metadata: { annotations } } })
    await cluster.quiet()
    expect((await cluster.client.get(claimKind, at('data'))).metadata.annotations).toMatchObject({
      'volume.kubernetes.io/storage-provisioner': 'example.com/disks',
    })
    const { uid } = (await cluster.client.get(claimKind, at('data'))).metadata
    await cluster.client.patch(volumeKind, { name: 'pv' }, { type: 'merge', body: { spec: { claimRef: { ...at('data'), uid } } } })
    await cluster.quiet()
    expect(await bindingOf(cluster, 'data')).toEqual(['Bound', 'pv'])
  })
})

describe('a claim that goes', () => {
  const go = async (volume: Draft<PersistentVolume>) => {
    const cluster = await start()
    await make(cluster, [volume], [claimOf('data')])
    expect(await bindingOf(cluster, 'data')).toEqual(['Bound', 'pv'])
    await cluster.client.patch(claimKind, at('data'), { type: 'merge', body: { metadata: { finalizers: null } } })
    await cluster.client.delete(claimKind, at('data'))
    await cluster.quiet()
    return cluster
  }

  it('leaves a volume that is kept released, for no other claim', async () => {
    await using cluster = await go(volumeOf('pv'))
    expect(await phaseOf(cluster, 'pv')).toBe('Released')
    await make(cluster, [], [claimOf('data')])
    expect([await bindingOf(cluster, 'data'), await phaseOf(cluster, 'pv')]).toEqual([['Pending', undefined], 'Released'])
    await cluster.client.patch(volumeKind, { name: 'pv' }, { type: 'merge', body: { spec: { claimRef: null } } })
    await cluster.quiet()
    expect(await bindingOf(cluster, 'data')).toEqual(['Bound', 'pv'])
  })

  it('leaves the deletion of a volume to who made it', async () => {
    const volume = volumeOf('pv', { persistentVolumeReclaimPolicy: 'Delete' })
    const made = { ...volume, metadata: { ...volume.metadata, annotations: { 'pv.kubernetes.io/provisioned-by': 'example.com/disks' } } }
    await using cluster = await go(made)
    expect(await phaseOf(cluster, 'pv')).toBe('Released')
  })

  it.each([
    ['Delete', 'error getting deleter volume plugin for volume "pv": no deletable volume plugin matched', 'VolumeFailedDelete'],
    ['Recycle', 'No recycler plugin found for the volume!', 'VolumeFailedRecycle'],
  ] as const)('fails a volume of policy %s that nobody can reclaim', async (persistentVolumeReclaimPolicy, message, reason) => {
    await using cluster = await go(volumeOf('pv', { persistentVolumeReclaimPolicy }))
    expect((await cluster.client.get(volumeKind, { name: 'pv' })).status).toMatchObject({ phase: 'Failed', message })
    expect(await cluster.events('pv')).toEqual([`${reason}: ${message}`])
  })
})

describe('a claim that lost its volume', () => {
  it('says so, and recovers when it is back', async () => {
    await using cluster = await start()
    await make(cluster, [volumeOf('pv')], [claimOf('data')])
    const { uid } = (await cluster.client.get(claimKind, at('data'))).metadata
    await cluster.client.patch(volumeKind, { name: 'pv' }, { type: 'merge', body: { metadata: { finalizers: null } } })
    await cluster.client.delete(volumeKind, { name: 'pv' })
    await cluster.quiet()
    expect(await bindingOf(cluster, 'data')).toEqual(['Lost', 'pv'])
    expect(await cluster.events('data')).toEqual(['ClaimLost: Bound claim has lost its PersistentVolume. Data on the volume is lost!'])
    await make(cluster, [volumeOf('pv', { claimRef: { ...at('data'), uid } })], [])
    expect(await bindingOf(cluster, 'data')).toEqual(['Bound', 'pv'])
    expect((await cluster.client.get(claimKind, at('data'))).status.capacity).toEqual({ storage: '1Gi' })
  })

  it('is lost as well when its volume is another’s', async () => {
    await using cluster = await start()
    const annotations = { 'pv.kubernetes.io/bind-completed': 'yes' }
    await make(cluster, [volumeOf('pv')], [claimOf('data')])
    const claim = claimOf('thief', { volumeName: 'pv' })
    await make(cluster, [], [{ ...claim, metadata: { ...claim.metadata, annotations } }])
    expect(await bindingOf(cluster, 'thief')).toEqual(['Lost', 'pv'])
    expect(await cluster.events('thief')).toEqual(['ClaimMisbound: Two claims are bound to the same volume, this one is bound incorrectly'])
  })
})
