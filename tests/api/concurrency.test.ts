import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configMap, service } from '../../electron/api/kinds.gen.ts'
import { hasReason } from '../../electron/machinery/status.ts'
import type { RemoteClient } from '../../electron/client/remote-client.ts'
import { createServices, serve, type Served } from './served.ts'

let served: Served
let clients: RemoteClient[]
beforeAll(async () => {
  served = await serve()
  clients = Array.from({ length: 4 }, () => served.remote())
})
afterAll(() => served[Symbol.asyncDispose]())

const client = (i: number) => clients[i % clients.length] as RemoteClient
const at = (name: string) => ({ name, namespace: 'default' })

describe('writers from several connections', () => {
  it('a hundred on one object, none lost, by update with the version they saw', async () => {
    await served.admin.create(configMap, { metadata: at('counter'), data: { n: '0' } })
    let conflicts = 0
    const add = async (i: number) => {
      for (;;) {
        const now = await client(i).get(configMap, at('counter'))
        try {
          await client(i).update(configMap, { ...now, data: { n: String(Number(now.data?.['n']) + 1) } })
          return
        } catch (error) {
          if (!hasReason(error, 'Conflict')) throw error
          conflicts++
        }
      }
    }
    await Promise.all(Array.from({ length: 100 }, (_, i) => add(i)))
    expect((await served.admin.get(configMap, at('counter'))).data).toEqual({ n: '100' })
    expect(conflicts).toBeGreaterThan(0)
  })

  it('a hundred on one object, none lost, by patch', async () => {
    await served.admin.create(configMap, { metadata: at('patched') })
    await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        client(i).patch(configMap, at('patched'), { type: 'merge', body: { data: { [`k${i}`]: '' } } }),
      ),
    )
    expect(Object.keys((await served.admin.get(configMap, at('patched'))).data ?? {})).toHaveLength(100)
  })

  it('each apply of many owns what it applied', async () => {
    await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        client(i).patch(
          configMap,
          at('applied'),
          { type: 'apply', body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' }, data: { [`k${i}`]: String(i) } } },
          { fieldManager: `m${i}` },
        ),
      ),
    )
    const { data, metadata } = await served.admin.get(configMap, at('applied'))
    expect(Object.keys(data ?? {})).toHaveLength(30)
    expect(metadata.managedFields?.map((e) => e.manager).sort()).toEqual(Array.from({ length: 30 }, (_, i) => `m${i}`).sort())
  })

  it('get Services with addresses and ports of their own', async () => {
    const made = await createServices(clients, 60)
    expect(new Set(made.map((s) => s.spec.clusterIP)).size).toBe(60)
    expect(new Set(made.map((s) => s.spec.ports?.[0]?.nodePort)).size).toBe(60)
    expect((await served.admin.list(service)).items).toHaveLength(61)
  })
})

describe('a list in chunks', () => {
  it('shows one state while others write, and outlives a compaction if the client wants that', async () => {
    const names = Array.from({ length: 100 }, (_, i) => `c${String(i).padStart(3, '0')}`)
    await Promise.all(names.map((name, i) => client(i).create(configMap, { metadata: { ...at(name), labels: { chunk: '' } } })))
    const query = { namespace: 'default', labelSelector: 'chunk', limit: 30 }
    const first = await client(0).list(configMap, query)
    for (const i of ['031', '035', '099']) await served.admin.delete(configMap, at(`c${i}`))
    await served.admin.create(configMap, { metadata: { ...at('c030b'), labels: { chunk: '' } } })
    const second = await client(1).list(configMap, { ...query, continue: first.metadata.continue ?? '' })
    expect([...first.items, ...second.items].map((o) => o.metadata.name)).toEqual(names.slice(0, 60))
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion)

    const { revision } = await served.store.status()
    await served.store.compact(revision)
    const token = second.metadata.continue ?? ''
    const lost = await client(2)
      .list(configMap, { ...query, continue: token })
      .catch((error: unknown) => error)
    expect(lost).toMatchObject({ code: 410, reason: 'Expired' })
    const fresh = (lost as { status: { metadata: { continue: string } } }).status.metadata.continue
    const rest = await client(3).list(configMap, { ...query, continue: fresh })
    expect(rest.items[0]?.metadata.name).toBe('c060')
    expect(Number(rest.metadata.resourceVersion)).toBeGreaterThan(Number(first.metadata.resourceVersion))
    const last = await client(3).list(configMap, { ...query, continue: rest.metadata.continue ?? '' })
    expect(last.items.map((o) => o.metadata.name)).toEqual(names.slice(90, 99))
    expect(last.metadata.continue).toBeUndefined()
  })
})
