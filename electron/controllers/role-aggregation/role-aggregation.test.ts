import { describe, expect, it } from 'vitest'
import { clusterRole as clusterRoleKind } from '../../api/rbac/v1/cluster-role.ts'
import type { PolicyRule } from '../../api/rbac/v1/types.gen.ts'
import { DEFAULT_ROLES } from '../../apiserver/authz/default-roles.ts'
import { startCluster, type TestCluster } from '../testing/cluster.ts'

const only = ['clusterrole-aggregation-controller']
const rule = (resource: string, ...verbs: string[]): PolicyRule => ({ apiGroups: [''], resources: [resource], verbs })
const rulesOf = async ({ client }: TestCluster, name: string) => (await client.get(clusterRoleKind, { name })).rules ?? []
const part = (name: string, labels: Record<string, string>, ...rules: PolicyRule[]) => ({ metadata: { name, labels }, rules })

describe('role aggregation', () => {
  it('fills admin, edit and view of the default roles, each with what the lesser may', async () => {
    await using cluster = await startCluster({ only })
    for (const role of DEFAULT_ROLES) await cluster.client.create(clusterRoleKind, role)
    await cluster.quiet()
    const [view, edit, admin] = [await rulesOf(cluster, 'view'), await rulesOf(cluster, 'edit'), await rulesOf(cluster, 'admin')]
    expect(view).toEqual(DEFAULT_ROLES.find(({ metadata }) => metadata.name === 'system:aggregate-to-view')?.rules)
    expect(edit.length).toBeGreaterThan(view.length)
    for (const one of view) expect(edit).toContainEqual(one)
    for (const one of edit) expect(admin).toContainEqual(one)
    expect(admin).toContainEqual(expect.objectContaining({ resources: ['roles', 'rolebindings'] }))
    expect(view.flatMap(({ resources }) => resources)).not.toContain('secrets')
    expect(cluster.complaints).toEqual([])
  })

  it('follows parts that come, change and go, and has each rule once', async () => {
    await using cluster = await startCluster({ only })
    const { client } = cluster
    const sum = { clusterRoleSelectors: [{ matchLabels: { a: 'yes' } }, { matchLabels: { b: 'yes' } }] }
    await client.create(clusterRoleKind, { metadata: { name: 'sum', labels: { a: 'yes' } }, aggregationRule: sum })
    await client.create(clusterRoleKind, part('z', { a: 'yes' }, rule('pods', 'get')))
    await client.create(clusterRoleKind, part('y', { a: 'yes', b: 'yes' }, rule('secrets', 'get')))
    await client.create(clusterRoleKind, part('x', { b: 'yes' }, rule('pods', 'get'), rule('nodes', 'list')))
    await cluster.quiet()
    expect(await rulesOf(cluster, 'sum')).toEqual([rule('secrets', 'get'), rule('pods', 'get'), rule('nodes', 'list')])
    await client.patch(clusterRoleKind, { name: 'y' }, { type: 'merge', body: { metadata: { labels: { a: null, b: null } } } })
    await client.delete(clusterRoleKind, { name: 'z' })
    await cluster.quiet()
    expect(await rulesOf(cluster, 'sum')).toEqual([rule('pods', 'get'), rule('nodes', 'list')])
  })

  it('takes away what somebody wrote into an aggregated role, and leaves others alone', async () => {
    await using cluster = await startCluster({ only })
    const { client } = cluster
    await client.create(clusterRoleKind, part('plain', {}, rule('pods', 'get')))
    await client.create(clusterRoleKind, {
      metadata: { name: 'sum' },
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'yes' } }] },
      rules: [rule('secrets', '*')],
    })
    await cluster.quiet()
    expect(await rulesOf(cluster, 'sum')).toEqual([])
    expect(cluster.writes).toEqual(['update clusterroles sum'])
  })
})
