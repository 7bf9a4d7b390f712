/** Watch, and lists in chunks. */
import assert from 'node:assert/strict'
import { configMap, podTemplate } from '../../../electron/api/kinds.gen.ts'
import type { ConfigMap } from '../../../electron/api/core/v1/types.gen.ts'
import type { KubeList, KubeObject } from '../../../electron/api/meta/v1/object.ts'
import { StatusError } from '../../../electron/machinery/status.ts'
import { eventually, type Behaviour, type BehaviourContext, type Behaviours } from '../lib/behaviour.ts'
import { podTemplateSpec } from '../lib/objects.ts'
import { startWatch } from '../lib/watching.ts'

/** For nothing to arrive where nothing must. */
const QUIET = 500
const TEMPLATES = 400

const labelled = (name: string, namespace: string, label: string) => ({ metadata: { name, namespace, labels: { watch: label } } })

/** Sets a key of the ConfigMap and perhaps its label; the object after it. */
async function change({ client, namespace }: BehaviourContext, name: string, value: string, label?: string): Promise<ConfigMap> {
  const body = { data: { value }, ...(label === undefined ? {} : { metadata: { labels: { watch: label } } }) }
  return client.patch(configMap, { name, namespace }, { type: 'merge', body })
}

const event = (type: string, { metadata, data }: ConfigMap) => [type, metadata.name, data?.['value']]

async function makeTemplates({ client, namespace }: BehaviourContext): Promise<string[]> {
  const names = Array.from({ length: TEMPLATES }, (_, i) => `template-${String(i).padStart(4, '0')}`)
  for (let at = 0; at < names.length; at += 20) {
    const some = names.slice(at, at + 20)
    await Promise.all(
      some.map((name) => client.create(podTemplate, { metadata: { name, namespace }, template: podTemplateSpec({ app: 'a' }) })),
    )
  }
  return names
}

const namesOf = ({ items }: KubeList<KubeObject>) => items.map(({ metadata }) => metadata.name)

const listChunking: Behaviour = async (context) => {
  const { client, namespace } = context
  const names = await makeTemplates(context)
  const found: string[] = []
  let resourceVersion: string | undefined
  let next: string | undefined
  do {
    const page = await client.list(podTemplate, { namespace, limit: 17, ...(next ? { continue: next } : {}) })
    assert.ok(page.items.length <= 17)
    found.push(...namesOf(page))
    resourceVersion ??= page.metadata.resourceVersion
    assert.equal(page.metadata.resourceVersion, resourceVersion)
    next = page.metadata.continue
    if (next) assert.equal(page.metadata.remainingItemCount, TEMPLATES - found.length)
    else assert.equal(page.metadata.remainingItemCount ?? 0, 0)
  } while (next)
  assert.deepEqual(found, names)

  const whole = await client.list(podTemplate, { namespace })
  assert.deepEqual(namesOf(whole), names)
  assert.equal(whole.metadata.continue, undefined)
}

/** Takes as long as the server keeps old revisions. */
const listChunkingCompacted: Behaviour = async (context) => {
  const { client, namespace, signal } = context
  const names = await makeTemplates(context)
  const first = await client.list(podTemplate, { namespace, limit: 40 })
  assert.deepEqual(namesOf(first), names.slice(0, 40))
  const token = first.metadata.continue ?? ''
  assert.ok(token)
  const expired = await eventually(signal, 'the continue token expires', async () => {
    // What the token says is old only once something newer was written.
    await client.create(configMap, { metadata: { generateName: 'newer-', namespace } })
    await new Promise((resolve) => setTimeout(resolve, 5_000))
    return client.list(podTemplate, { namespace, limit: 40, continue: token }).then(
      () => null,
      (error: unknown) => error,
    )
  })
  assert.ok(expired instanceof StatusError, (expired as Error).message)
  assert.equal(expired.code, 410)
  const { metadata } = expired.status
  assert.ok('continue' in metadata && metadata.continue, 'there is no token to go on with')

  const found: string[] = []
  let resourceVersion: string | undefined
  let next: string | undefined = metadata.continue
  while (next) {
    const page: KubeList<KubeObject> = await client.list(podTemplate, { namespace, limit: 40, continue: next })
    assert.ok(page.items.length <= 40)
    found.push(...namesOf(page))
    resourceVersion ??= page.metadata.resourceVersion
    assert.equal(page.metadata.resourceVersion, resourceVersion)
    next = page.metadata.continue
  }
  assert.notEqual(resourceVersion, first.metadata.resourceVersion)
  assert.deepEqual(found, names.slice(40))
}

export const behaviours: Behaviours = {
  'list-chunking': listChunking,
  'list-chunking-compacted': listChunkingCompacted,

  async 'watch-add-update-delete'(context) {
    const { client, namespace, signal } = context
    const watching = (labelSelector: string) => startWatch(client, configMap, { namespace, labelSelector, signal })
    await using ofA = await watching('watch=a')
    await using ofB = await watching('watch=b')
    await using ofBoth = await watching('watch in (a, b)')
    const expected: Record<'a' | 'b', unknown[]> = { a: [], b: [] }
    const both: unknown[] = []
    const note = (label: 'a' | 'b', ...of: Parameters<typeof event>) => {
      expected[label].push(event(...of))
      both.push(event(...of))
    }
    for (const label of ['a', 'b'] as const) {
      const name = `of-${label}`
      note(label, 'ADDED', await client.create(configMap, labelled(name, namespace, label)))
      note(label, 'MODIFIED', await change(context, name, '1'))
      const last = await change(context, name, '2')
      note(label, 'MODIFIED', last)
      await client.delete(configMap, { name, namespace })
      note(label, 'DELETED', last)
    }
    for (const [watcher, wanted] of [
      [ofA, expected.a],
      [ofB, expected.b],
      [ofBoth, both],
    ] as const) {
      for (const one of wanted) {
        const { type, object } = await watcher.next()
        assert.deepEqual(event(type, object), one)
      }
      assert.deepEqual(await watcher.rest(QUIET), [])
    }
  },

  async 'watch-from-specific-rv'(context) {
    const { client, namespace, signal } = context
    const name = 'watched'
    await client.create(configMap, labelled(name, namespace, 'a'))
    const { resourceVersion } = (await change(context, name, '1')).metadata
    await change(context, name, '2')
    await client.delete(configMap, { name, namespace })
    await using watching = await startWatch(client, configMap, { namespace, labelSelector: 'watch=a', resourceVersion, signal })
    const events = [await watching.next(), await watching.next()]
    assert.deepEqual(
      events.map(({ type, object }) => event(type, object)),
      [
        ['MODIFIED', name, '2'],
        ['DELETED', name, '2'],
      ],
    )
    assert.deepEqual(await watching.rest(QUIET), [])
  },

  async 'watch-restart-from-last-rv'(context) {
    const { client, namespace, signal } = context
    const name = 'watched'
    const options = { namespace, labelSelector: 'watch=a', signal }
    let last: string
    {
      await using watching = await startWatch(client, configMap, options)
      await client.create(configMap, labelled(name, namespace, 'a'))
      await change(context, name, '1')
      assert.deepEqual((await watching.next()).type, 'ADDED')
      const { type, object } = await watching.next()
      assert.deepEqual(event(type, object), ['MODIFIED', name, '1'])
      last = object.metadata.resourceVersion
    }
    await change(context, name, '2')
    await using again = await startWatch(client, configMap, { ...options, resourceVersion: last })
    await client.delete(configMap, { name, namespace })
    const events = [await again.next(), await again.next()]
    assert.deepEqual(
      events.map(({ type, object }) => event(type, object)),
      [
        ['MODIFIED', name, '2'],
        ['DELETED', name, '2'],
      ],
    )
  },

  async 'watch-selector-stops-matching'(context) {
    const { client, namespace, signal } = context
    const name = 'watched'
    await using watching = await startWatch(client, configMap, { namespace, labelSelector: 'watch=a', signal })
    const next = async () => {
      const { type, object } = await watching.next()
      return event(type, object)
    }
    await client.create(configMap, labelled(name, namespace, 'a'))
    assert.deepEqual(await next(), ['ADDED', name, undefined])
    await change(context, name, '1')
    assert.deepEqual(await next(), ['MODIFIED', name, '1'])
    await change(context, name, '2', 'other')
    assert.equal((await watching.next()).type, 'DELETED')
    await change(context, name, '3')
    assert.deepEqual(await watching.rest(QUIET), [])
    await change(context, name, '3', 'a')
    assert.deepEqual(await next(), ['ADDED', name, '3'])
    await change(context, name, '4')
    assert.deepEqual(await next(), ['MODIFIED', name, '4'])
    await client.delete(configMap, { name, namespace })
    assert.deepEqual(await next(), ['DELETED', name, '4'])
  },

  async 'watch-concurrent-same-order'(context) {
    const { client, namespace, signal } = context
    const WATCHES = 30
    let writing = true
    const writer = async () => {
      for (let i = 0; writing; i++) {
        const at = { name: `written-${i % 7}`, namespace }
        await client.create(configMap, { metadata: at }).catch(() => change(context, at.name, String(i)))
        if (i % 11 === 10) await client.delete(configMap, at)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
    const { resourceVersion = '' } = (await client.list(configMap, { namespace })).metadata
    await using watches = new AsyncDisposableStack()
    const first = watches.use(await startWatch(client, configMap, { namespace, resourceVersion, signal }))
    const written = writer()
    // Thrown below, where it is awaited.
    written.catch(() => undefined)
    const versions: string[] = []
    const others: Awaited<ReturnType<typeof startWatch<ConfigMap>>>[] = []
    try {
      for (let i = 0; i < WATCHES; i++) {
        const { resourceVersion: at } = (await first.next()).object.metadata
        versions.push(at)
        others.push(watches.use(await startWatch(client, configMap, { namespace, resourceVersion: at, signal })))
      }
      for (let i = 0; i < WATCHES; i++) versions.push((await first.next()).object.metadata.resourceVersion)
    } finally {
      writing = false
      await written
    }
    for (const [i, watch] of others.entries()) {
      for (const wanted of versions.slice(i + 1)) assert.equal((await watch.next()).object.metadata.resourceVersion, wanted)
    }
  },
}
