/** The kinds of storage.k8s.io, PersistentVolume and PersistentVolumeClaim, as far as nothing is mounted. */
import assert from 'node:assert/strict'
import {
  csiDriver,
  csiNode,
  csiStorageCapacity,
  persistentVolume,
  persistentVolumeClaim,
  storageClass,
  volumeAttachment,
  volumeAttributesClass,
} from '../../../electron/api/kinds.gen.ts'
import type { Kind } from '../../../electron/api/kind.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../../electron/api/core/v1/types.gen.ts'
import type { Draft, KubeObject } from '../../../electron/api/meta/v1/object.ts'
import { eventually, ignoreMissing, type Behaviour, type BehaviourContext, type Behaviours } from '../lib/behaviour.ts'
import { assertHas, mark, uids, untilGone, updateObject, wholeApi, type Mark } from '../lib/whole-api.ts'

type DraftOf<T> = (context: BehaviourContext) => Draft<T>

/** The steps of a row about one kind, each of which sees its effect in a read. */
class Objects<T extends KubeObject> {
  readonly #context: BehaviourContext
  readonly #kind: Kind<T>
  readonly #draft: DraftOf<T>
  readonly #mark: Mark

  constructor(context: BehaviourContext, kind: Kind<T>, draft: DraftOf<T>) {
    this.#context = context
    this.#kind = kind
    this.#draft = draft
    this.#mark = mark(context)
  }

  /** With the label that the others look for. */
  async create(): Promise<T> {
    const { client, namespace } = this.#context
    const at = { name: this.#context.unique('object'), ...(this.#kind.namespaced ? { namespace } : {}) }
    this.#context.afterwards(() => client.delete(this.#kind, at).catch(ignoreMissing))
    const metadata = { ...at, labels: this.#mark.labels }
    const made = await client.create(this.#kind, { ...this.#draft(this.#context), metadata })
    assert.equal((await client.get(this.#kind, at)).metadata.uid, made.metadata.uid)
    return made
  }

  async patchLabel({ metadata: at }: T): Promise<void> {
    const { client } = this.#context
    await client.patch(this.#kind, at, { type: 'merge', body: { metadata: { labels: { patched: 'true' } } } })
    assertHas(await client.get(this.#kind, at), { metadata: { labels: { ...this.#mark.labels, patched: 'true' } } })
  }

  async updateLabel({ metadata: at }: T): Promise<void> {
    await updateObject(this.#context, this.#kind, at, ({ metadata }) => {
      metadata.labels = { ...metadata.labels, updated: 'true' }
    })
    assert.equal((await this.#context.client.get(this.#kind, at)).metadata.labels?.['updated'], 'true')
  }

  async assertListed(...objects: T[]): Promise<void> {
    const { items } = await this.#context.client.list(this.#kind, { labelSelector: this.#mark.selector })
    assert.deepEqual(new Set(uids(items)), new Set(uids(objects)))
  }

  async delete({ metadata }: T): Promise<void> {
    await this.#context.client.delete(this.#kind, metadata)
    await untilGone(this.#context, this.#kind, metadata)
  }

  async deleteCollection(): Promise<void> {
    const { client, namespace, signal } = this.#context
    const options = { labelSelector: this.#mark.selector, ...(this.#kind.namespaced ? { namespace } : {}) }
    await client.deleteCollection(this.#kind, options)
    await eventually(signal, 'the list is empty', async () => (await client.list(this.#kind, options)).items.length === 0)
  }
}

/** One is labelled by patch and deleted by name; the next is labelled by update and deleted with the collection. */
function replaced<T extends KubeObject>(kind: Kind<T>, draft: DraftOf<T>, seconds = 1): Behaviour {
  return async (context) => {
    const objects = new Objects(context, kind, draft)
    const first = await objects.create()
    await objects.patchLabel(first)
    await objects.assertListed(first)
    await objects.delete(first)
    for (let i = 0; i < seconds; i++) await objects.updateLabel(await objects.create())
    await objects.deleteCollection()
  }
}

const hostPath: DraftOf<PersistentVolume> = (context) => ({
  spec: {
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '1Gi' },
    persistentVolumeReclaimPolicy: 'Retain',
    storageClassName: context.namespace,
    hostPath: { path: '/nowhere' },
  },
})
/** Of a class that no volume has, so that it stays unbound. */
const claim: DraftOf<PersistentVolumeClaim> = (context) => ({
  spec: {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
    storageClassName: `${context.namespace}-claims`,
  },
})

const attachment = (context: BehaviourContext) => ({
  spec: { attacher: 'attacher.example.com', nodeName: 'none', source: { persistentVolumeName: context.unique('volume') } },
})

export const behaviours: Behaviours = {
  'storageclass-lifecycle': replaced(storageClass, () => ({ provisioner: 'example.com/none' })),
  'volumeattributesclass-lifecycle': replaced(volumeAttributesClass, () => ({
    driverName: 'example.com.driver',
    parameters: { iops: '100' },
  })),
  'csinode-lifecycle': replaced(csiNode, () => ({ spec: { drivers: [{ name: 'example.com.driver', nodeID: 'id' }] } })),
  'volumeattachment-lifecycle': replaced(volumeAttachment, attachment, 2),
  'csistoragecapacity-api': wholeApi({
    kind: csiStorageCapacity,
    draft: () => ({ storageClassName: 'none', capacity: '1Gi', nodeTopology: { matchLabels: { zone: 'a' } } }),
  }),

  async 'csidriver-lifecycle'(context) {
    const objects = new Objects(context, csiDriver, () => ({ spec: { attachRequired: false } }))
    const first = await objects.create()
    const second = await objects.create()
    await objects.patchLabel(first)
    await objects.updateLabel(first)
    await objects.assertListed(first, second)
    await objects.delete(first)
    await objects.deleteCollection()
    await untilGone(context, csiDriver, second.metadata)
  },

  async 'volumeattachment-status'(context) {
    const { client } = context
    const objects = new Objects(context, volumeAttachment, attachment)
    const made = await objects.create()
    const at = made.metadata
    const status = { subresource: 'status' }
    await objects.patchLabel(made)
    assert.equal((await client.get(volumeAttachment, at, status)).status.attached, false)
    await client.patch(volumeAttachment, at, { type: 'merge', body: { status: { attached: true } } }, status)
    assert.equal((await client.get(volumeAttachment, at, status)).status.attached, true)
    await updateObject(context, volumeAttachment, at, (object) => void (object.status.attached = false), 'status')
    assert.equal((await client.get(volumeAttachment, at, status)).status.attached, false)
    await objects.delete(made)
  },

  async 'pv-pvc-lifecycle'(context) {
    const volumes = new Objects(context, persistentVolume, hostPath)
    const claims = new Objects(context, persistentVolumeClaim, claim)
    const [volume, ofIt] = [await volumes.create(), await claims.create()]
    await volumes.assertListed(volume)
    await claims.assertListed(ofIt)
    await volumes.patchLabel(volume)
    await claims.patchLabel(ofIt)
    await claims.delete(ofIt)
    await volumes.delete(volume)
    await volumes.updateLabel(await volumes.create())
    await claims.updateLabel(await claims.create())
    await claims.deleteCollection()
    await volumes.deleteCollection()
  },

  async 'pv-pvc-status'(context) {
    const { client, namespace } = context
    const volumes = new Objects(context, persistentVolume, hostPath)
    const claims = new Objects(context, persistentVolumeClaim, claim)
    const [volume, ofIt] = [await volumes.create(), await claims.create()]
    await volumes.assertListed(volume)
    assert.deepEqual(uids((await client.list(persistentVolumeClaim, { namespace })).items), uids([ofIt]))
    const status = { subresource: 'status' }
    const readVolume = async () => (await client.get(persistentVolume, volume.metadata, status)).status
    const readClaim = async () => (await client.get(persistentVolumeClaim, ofIt.metadata, status)).status
    await eventually(context.signal, 'a valid phase of both', async () => {
      assert.ok(['Pending', 'Available', 'Bound'].includes((await readVolume()).phase ?? ''))
      assert.ok(['Pending', 'Bound'].includes((await readClaim()).phase ?? ''))
      return true
    })
    const condition = (type: string) => ({ type, status: 'True' as const, reason: 'Conformance', message: 'set by a test' })
    const conditions = async () => ({ all: ((await readClaim()).conditions ?? []).map(({ type }) => type) })
    const body = { status: { conditions: [condition('StatusPatched')] } }
    await client.patch(persistentVolumeClaim, ofIt.metadata, { type: 'strategic', body }, status)
    assert.ok((await conditions()).all.includes('StatusPatched'))
    await updateObject(
      context,
      persistentVolumeClaim,
      ofIt.metadata,
      (object) => void (object.status.conditions = [condition('StatusUpdated')]),
      'status',
    )
    assert.deepEqual((await conditions()).all, ['StatusUpdated'])

    await client.patch(
      persistentVolume,
      volume.metadata,
      { type: 'merge', body: { status: { message: 'patched', reason: 'Patched' } } },
      status,
    )
    assertHas(await readVolume(), { message: 'patched', reason: 'Patched' })
    await updateObject(
      context,
      persistentVolume,
      volume.metadata,
      (object) => Object.assign(object.status, { message: 'updated', reason: 'Updated' }),
      'status',
    )
    assertHas(await readVolume(), { message: 'updated', reason: 'Updated' })
  },
}
