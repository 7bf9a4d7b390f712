import { expect, it } from 'vitest'
import { storageClass as classKind } from '../api/storage/v1/storage-class.ts'
import { startTestServer } from '../apiserver/testing/harness.ts'
import { ensureLocalClass } from './local-class.ts'

const DEFAULT = 'storageclass.kubernetes.io/is-default-class'

it('gives a new cluster a default class, and leaves it alone from then on', async () => {
  await using server = await startTestServer()
  const { client } = server
  await ensureLocalClass(client)
  const { metadata, volumeBindingMode } = await client.get(classKind, { name: 'local' })
  expect([metadata.annotations?.[DEFAULT], volumeBindingMode]).toEqual(['true', 'WaitForFirstConsumer'])
  await client.patch(classKind, { name: 'local' }, { type: 'merge', body: { metadata: { annotations: { [DEFAULT]: 'false' } } } })
  await ensureLocalClass(client)
  expect((await client.get(classKind, { name: 'local' })).metadata.annotations?.[DEFAULT]).toBe('false')
})

it('does not take the place of another default class', async () => {
  await using server = await startTestServer()
  const { client } = server
  await client.create(classKind, { metadata: { name: 'mine', annotations: { [DEFAULT]: 'true' } }, provisioner: 'example.com/disks' })
  await ensureLocalClass(client)
  expect((await client.get(classKind, { name: 'local' })).metadata.annotations?.[DEFAULT]).toBe('false')
})
