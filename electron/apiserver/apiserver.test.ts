import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { configMap, namespace, pod } from '../api/kinds.gen.ts'
import { startTestServer, type TestServer } from './testing/harness.ts'

let test: TestServer
beforeEach(async () => {
  test = await startTestServer()
})
afterEach(() => test.stop())

const config = (name: string, data: Record<string, string> = {}) => ({ metadata: { name, namespace: 'default' }, data })

describe('the API server', () => {
  it('creates, gets, updates, patches and deletes', async () => {
    const { client } = test
    const made = await client.create(configMap, config('a', { x: '1' }))
    expect(made).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'default' }, data: { x: '1' } })
    expect(made.metadata.uid).not.toBe('')
    expect(await client.get(configMap, { name: 'a', namespace: 'default' })).toBe(made)
    const updated = await client.update(configMap, { ...made, data: { x: '2' } })
    expect(Number(updated.metadata.resourceVersion)).toBeGreaterThan(Number(made.metadata.resourceVersion))
    await expect(client.update(configMap, { ...made, data: { x: '3' } })).rejects.toMatchObject({ reason: 'Conflict' })
    const patched = await client.patch(configMap, updated.metadata, { type: 'merge', body: { data: { y: '1' } } })
    expect(patched.data).toEqual({ x: '2', y: '1' })
    expect(await client.delete(configMap, made.metadata)).toBeNull()
    await expect(client.get(configMap, made.metadata)).rejects.toMatchObject({ reason: 'NotFound', code: 404 })
  })

  it('lists and watches', async () => {
    const { client } = test
    await client.create(configMap, config('a'))
    const list = await client.list(configMap)
    expect(list.items.map((o) => o.metadata.name)).toEqual(['a'])
    const events: string[] = []
    const done = (async () => {
      for await (const { type, object } of client.watch(configMap, { resourceVersion: list.metadata.resourceVersion ?? '' })) {
        events.push(`${type} ${object.metadata.name}`)
        if (type === 'DELETED') return
      }
    })()
    await client.create(configMap, config('b'))
    await client.update(configMap, { ...(await client.get(configMap, { name: 'a', namespace: 'default' })), data: { z: '' } })
    await client.delete(configMap, { name: 'b', namespace: 'default' })
    await done
    expect(events).toEqual(['ADDED b', 'MODIFIED a', 'DELETED b'])
  })

  it('keeps kinds apart', async () => {
    const { client } = test
    await client.create(namespace, { metadata: { name: 'default2' } })
    expect((await client.list(pod)).items).toEqual([])
  })
})
