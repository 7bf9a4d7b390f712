import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KINDS } from '../../api/kinds.gen.ts'
import type { Kind } from '../../api/kind.ts'
import { pod as POD } from '../../api/core/v1/pod.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { createApiServer } from '../../apiserver/apiserver.ts'
import { systemClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/logger.ts'
import { systemRandom } from '../../base/random.ts'
import type { Client } from '../../client/client.ts'
import type { ListView } from '../../contracts/list-channels.ts'
import { createMemoryStore } from '../../store/memory/memory-store.ts'
import { LiveIndex, type HeldTable } from './live-index.ts'
import { isRow, View } from './view.ts'

const VIEW: ListView = {
  ...{ where: {}, text: '', chips: [], troubleFirst: false, sort: { id: 'name', descending: false } },
  ...{ folded: [], held: false, from: 0, count: 10 },
}
const PODS = { group: '', version: 'v1', resource: 'pods' }

let stack: AsyncDisposableStack
let client: Client
let index: LiveIndex
let held: HeldTable
beforeEach(async () => {
  stack = new AsyncDisposableStack()
  const deps = { clock: systemClock, random: systemRandom }
  const store = stack.use(createMemoryStore(deps))
  const server = stack.use(
    createApiServer({ ...deps, store, logger: silentLogger, kinds: KINDS, admission: { disabled: ['ServiceAccount'] } }),
  )
  server.use({ authorize: async () => ({ allowed: true, reason: '' }) })
  await server.start()
  client = server.clientFor({ name: 'you', groups: ['system:masters'] }, 'test')
  for (const [name, node] of [
    ['b', 'moth'],
    ['a', 'moth'],
    ['c', 'heron'],
  ] as const)
    await makePod(name, node)
  index = new LiveIndex({ ...deps, client, kinds: KINDS })
  held = stack.use(await index.open(PODS))
  await expect.poll(() => held.table.rows.size).toBe(3)
})
afterEach(() => stack.disposeAsync())

async function makePod(name: string, nodeName: string, more: object = {}): Promise<void> {
  await client.create(POD, {
    metadata: { name, namespace: 'default', labels: { app: name } },
    spec: { nodeName, containers: [{ name: 'main', image: 'x' }] },
    ...more,
  })
}
const viewOf = (view: Partial<ListView> = {}) =>
  stack.use(new View(held.table, index.owners, { ...VIEW, ...view }, systemClock, () => undefined))
async function lines(view: View): Promise<string[]> {
  while (view.dirty) await view.settle()
  return view.window().entries.map((entry) => (isRow(entry) ? entry.object.metadata.name : `${entry.group}:${entry.n}`))
}

describe('a view on the live index', () => {
  it('stands in order, either way', async () => {
    expect(await lines(viewOf())).toEqual(['a', 'b', 'c'])
    expect(await lines(viewOf({ sort: { id: 'name', descending: true } }))).toEqual(['c', 'b', 'a'])
  })
  it('shows of the lines those of its window, and counts all', async () => {
    const view = viewOf({ from: 1, count: 1 })
    expect(await lines(view)).toEqual(['b'])
    expect(view.window()).toMatchObject({ total: 3, matching: 3, lines: 3, chips: { starting: 3 } })
  })
  it('is narrowed by text, labels, chips and what it is of', async () => {
    expect(await lines(viewOf({ text: 'node:her' }))).toEqual(['c'])
    expect(await lines(viewOf({ text: 'app=a' }))).toEqual(['a'])
    expect(await lines(viewOf({ chips: ['failing'] }))).toEqual([])
    expect(await lines(viewOf({ where: { node: 'moth' } }))).toEqual(['a', 'b'])
    expect(await lines(viewOf({ where: { namespace: 'other' } }))).toEqual([])
  })
  it('stands in groups, which fold', async () => {
    const view = viewOf({ group: 'node' })
    expect(await lines(view)).toEqual(['heron:1', 'c', 'moth:2', 'a', 'b'])
    view.set({ ...VIEW, group: 'node', folded: ['moth'] })
    expect(await lines(view)).toEqual(['heron:1', 'c', 'moth:2'])
  })
  it('takes in what is made and deleted, each in its place', async () => {
    const view = viewOf()
    await lines(view)
    await makePod('aa', 'moth')
    await client.delete(POD, { namespace: 'default', name: 'c' }, { gracePeriodSeconds: 0 })
    await expect.poll(() => lines(view)).toEqual(['a', 'aa', 'b'])
  })
  it('changes no place while it is held, and tells how many wait', async () => {
    const view = viewOf({ held: true })
    await lines(view)
    await makePod('aa', 'moth')
    await expect.poll(() => lines(view)).toEqual(['a', 'b', 'c', 'aa'])
    expect(view.window().waiting).toBe(1)
    view.set(VIEW)
    expect(await lines(view)).toEqual(['a', 'aa', 'b', 'c'])
  })
  it('finds again what was chosen, as long as it is there and fits', async () => {
    const view = viewOf({ text: 'app=a' })
    await lines(view)
    const uids = [...held.table.rows.values()].map((row) => row.uid)
    expect(view.rowsOf([...uids, 'gone']).map((row) => row.object.metadata.name)).toEqual(['a'])
  })
})

describe('what pods a workload has', () => {
  it('is known through ReplicaSets, with the worst of them', async () => {
    const sets = KINDS.find((kind) => kind.resource === 'replicasets') as unknown as Kind<KubeObject>
    const set = await client.create(sets, {
      metadata: {
        name: 'web-1',
        namespace: 'default',
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'd', controller: true }],
      },
      spec: {
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'x' }] } },
      },
    } as never)
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1', uid: set.metadata.uid, controller: true }
    await client.create(POD, {
      metadata: { name: 'web-1-x', namespace: 'default', ownerReferences: [owner] },
      spec: { nodeName: 'moth', containers: [{ name: 'main', image: 'x' }] },
    })
    await client.patch(
      POD,
      { namespace: 'default', name: 'web-1-x' },
      { type: 'merge', body: { status: { phase: 'Failed', reason: 'Broken' } } },
      { subresource: 'status' },
    )
    const view = viewOf({ where: { under: 'd' } })
    await expect.poll(async () => (view.set({ ...VIEW, where: { under: 'd' } }), await lines(view))).toEqual(['web-1-x'])
    await expect.poll(() => index.owners.worst('d')?.word).toBe('Broken')
    expect(await lines(viewOf({ text: 'web', group: 'owner' }))).toEqual(['Deployment default/web:1', 'web-1-x'])
  })
})
