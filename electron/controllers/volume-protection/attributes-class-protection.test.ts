import { expect, it } from 'vitest'
import { persistentVolumeClaim } from '../../api/core/v1/persistent-volume-claim.ts'
import { volumeAttributesClass } from '../../api/storage/v1/volume-attributes-class.ts'
import { NAMESPACE, startCluster } from '../testing/cluster.ts'

it('a class of volume attributes stays until the last claim that has it is gone', async () => {
  await using cluster = await startCluster({ only: ['volumeattributesclass-protection-controller'], hollow: { nodes: 0 } })
  const { client } = cluster
  await client.create(volumeAttributesClass, { metadata: { name: 'gold' }, driverName: 'csi.example.com', parameters: { iops: '9000' } })
  await client.create(persistentVolumeClaim, {
    metadata: { name: 'data', namespace: NAMESPACE },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, volumeAttributesClassName: 'gold' },
  })
  await cluster.quiet()
  await client.delete(volumeAttributesClass, { name: 'gold' })
  await cluster.quiet()
  expect((await client.get(volumeAttributesClass, { name: 'gold' })).metadata.finalizers).toEqual(['kubernetes.io/vac-protection'])
  await client.patch(
    persistentVolumeClaim,
    { namespace: NAMESPACE, name: 'data' },
    { type: 'merge', body: { metadata: { finalizers: null } } },
  )
  await client.delete(persistentVolumeClaim, { namespace: NAMESPACE, name: 'data' })
  await cluster.quiet()
  expect((await client.list(volumeAttributesClass)).items).toEqual([])
})
