/** The shape of the rows "the kind takes create, get, list, watch, update, patch, delete and deletecollection". */
import assert from 'node:assert/strict'
import type { Kind } from '../../../electron/api/kind.ts'
import type { Draft, KubeObject } from '../../../electron/api/meta/v1/object.ts'
import { hasReason } from '../../../electron/machinery/status.ts'
import { eventually, ignoreMissing, type Behaviour, type BehaviourContext } from './behaviour.ts'
import { assertDiscovered } from './discovery.ts'
import { startWatch } from './watching.ts'

/** A label that only this test's objects have, as metadata and as selector. */
export interface Mark {
  readonly labels: Record<string, string>
  readonly selector: string
}

export function mark(context: BehaviourContext): Mark {
  const value = context.unique('only')
  return { labels: { 'conformance-mark': value }, selector: `conformance-mark=${value}` }
}

export interface WholeApi<T extends KubeObject> {
  readonly kind: Kind<T>
  /** What is sent beside the metadata; different each time where objects may not be alike. */
  readonly draft: (context: BehaviourContext) => Draft<T>
  /** For kinds whose names say something. */
  readonly name?: (context: BehaviourContext) => string
  /** That discovery must list beside the kind. */
  readonly subresources?: readonly string[]
  /** More, with the one object that is there after it was made. */
  readonly also?: (context: BehaviourContext, object: T) => Promise<unknown>
}

/** Discovery, and every verb once, with its effect seen in reads and in a watch. */
export function wholeApi<T extends KubeObject>({ kind, draft, name, subresources, also }: WholeApi<T>): Behaviour {
  return async (context) => {
    const { client, signal } = context
    const { labels, selector } = mark(context)
    const scope = kind.namespaced ? { namespace: context.namespace } : {}
    const list = async () => (await client.list(kind, { ...scope, labelSelector: selector })).items
    const make = async () => {
      const at = { ...scope, name: name?.(context) ?? context.unique(kind.singular) }
      const sent = draft(context)
      context.afterwards(() => client.delete(kind, at).catch(ignoreMissing))
      const made = await client.create(kind, { ...sent, metadata: { ...at, labels } })
      assertHas(made, { ...sent, metadata: { ...at, labels } })
      return made
    }
    await assertDiscovered(client, kind, subresources)

    const before = await client.list(kind, { ...scope, labelSelector: selector })
    assert.equal(before.items.length, 0)
    const resourceVersion = before.metadata.resourceVersion ?? ''
    await using watching = await startWatch(client, kind, { ...scope, labelSelector: selector, resourceVersion, signal })
    const made = await make()
    const at = made.metadata
    assert.equal((await client.get(kind, at)).metadata.uid, at.uid)
    assert.deepEqual(uids(await list()), [at.uid])
    if (kind.namespaced) assert.deepEqual(uids((await client.list(kind, { labelSelector: selector })).items), [at.uid])
    assert.equal((await watching.until('ADDED')).metadata.uid, at.uid)

    const patched = await client.patch(kind, at, { type: 'merge', body: { metadata: { annotations: { patched: 'true' } } } })
    assert.equal(patched.metadata.annotations?.['patched'], 'true')
    assert.equal((await client.get(kind, at)).metadata.annotations?.['patched'], 'true')
    await watching.until('MODIFIED', ({ metadata }) => metadata.annotations?.['patched'] === 'true')

    await updateObject(context, kind, at, ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, updated: 'true' }
    })
    assertHas(await client.get(kind, at), { metadata: { annotations: { patched: 'true', updated: 'true' } } })
    await watching.until('MODIFIED', ({ metadata }) => metadata.annotations?.['updated'] === 'true')
    await also?.(context, await client.get(kind, at))

    await client.delete(kind, at)
    await untilGone(context, kind, at)
    assert.equal((await watching.until('DELETED')).metadata.uid, at.uid)

    const three = [await make(), await make(), await make()]
    assert.deepEqual(new Set(uids(await list())), new Set(uids(three)))
    await client.deleteCollection(kind, { ...scope, labelSelector: selector })
    await eventually(signal, `no ${kind.resource} are left`, async () => (await list()).length === 0)
  }
}

/** Sends the newest state back with a change, again if somebody was faster. */
export async function updateObject<T extends KubeObject>(
  { client, signal }: BehaviourContext,
  kind: Kind<T>,
  at: { name: string; namespace?: string | undefined },
  change: (object: T) => void,
  subresource?: string,
): Promise<T> {
  for (;;) {
    signal.throwIfAborted()
    const object = structuredClone(await client.get(kind, at))
    change(object)
    try {
      return await client.update(kind, object, subresource ? { subresource } : {})
    } catch (error) {
      if (!hasReason(error, 'Conflict')) throw error
    }
  }
}

export async function untilGone(
  { client, signal }: BehaviourContext,
  kind: Kind,
  at: { name: string; namespace?: string | undefined },
): Promise<void> {
  await eventually(signal, `${kind.resource} ${at.name} is not found`, () => isGone(client, kind, at))
}

async function isGone(
  client: BehaviourContext['client'],
  kind: Kind,
  at: { name: string; namespace?: string | undefined },
): Promise<boolean> {
  return client.get(kind, at).then(
    () => false,
    (error: unknown) => {
      if (hasReason(error, 'NotFound')) return true
      throw error
    },
  )
}

export const uids = (objects: readonly KubeObject[]) => objects.map(({ metadata }) => metadata.uid)

/** Everything of `wanted` is in the object, which may have more. */
export function assertHas(object: object, wanted: object): void {
  assert.partialDeepStrictEqual(object, wanted)
}

/** Rejects with a Status of one of these reasons; returns its message. */
export async function assertRefused(attempt: Promise<unknown>, ...reasons: Parameters<typeof hasReason>[1][]): Promise<string> {
  const error = await attempt.then(
    () => null,
    (refusal: unknown) => refusal,
  )
  assert.ok(error, 'it was not refused')
  assert.ok(hasReason(error, ...reasons), `it was refused otherwise: ${(error as Error).message}`)
  return (error as Error).message
}
