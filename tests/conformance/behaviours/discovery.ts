/** Discovery, aggregated discovery, version and Table. */
import assert from 'node:assert/strict'
import type { Client } from '../../../electron/client/client.ts'
import type { Behaviours } from '../lib/behaviour.ts'
import { BUILT_INS } from '../lib/built-ins.ts'
import { listGroups, type ApiResourceList } from '../lib/discovery.ts'
import { getJson, send } from '../lib/raw.ts'

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

interface GroupDiscoveryList {
  readonly kind: string
  readonly apiVersion: string
  readonly items: readonly {
    readonly metadata?: { readonly name?: string }
    readonly versions: readonly {
      readonly version: string
      readonly resources?: readonly { readonly resource: string; readonly responseKind?: { readonly kind: string } }[]
    }[]
  }[]
}

async function aggregated(client: Client, path: '/api' | '/apis'): Promise<GroupDiscoveryList> {
  const answer = await send(client, 'GET', path, undefined, { accept: AGGREGATED })
  assert.equal(answer.status, 200)
  assert.match(answer.headers['content-type'] ?? '', /g=apidiscovery\.k8s\.io;v=v2;as=APIGroupDiscoveryList/)
  const list = answer.json<GroupDiscoveryList>()
  assert.deepEqual([list.kind, list.apiVersion], ['APIGroupDiscoveryList', 'apidiscovery.k8s.io/v2'])
  return list
}

/** "apps/v1/deployments"; the core group's are "v1/pods". */
function resourceNames(list: GroupDiscoveryList): Set<string> {
  const names = list.items.flatMap(({ metadata, versions }) => {
    const group = metadata?.name ? `${metadata.name}/` : ''
    return versions.flatMap(({ version, resources = [] }) => resources.map(({ resource }) => `${group}${version}/${resource}`))
  })
  return new Set(names)
}

export const behaviours: Behaviours = {
  async 'aggregated-discovery-accept-header'({ client }) {
    const apis = resourceNames(await aggregated(client, '/apis'))
    assert.deepEqual(
      BUILT_INS.filter((name) => !apis.has(name)),
      [],
    )
    assert.ok(resourceNames(await aggregated(client, '/api')).has('v1/namespaces'))
  },

  async 'aggregated-discovery-client'({ client }) {
    const found = new Set([...resourceNames(await aggregated(client, '/api')), ...resourceNames(await aggregated(client, '/apis'))])
    for (const name of [
      'v1/namespaces',
      'apps/v1/deployments',
      'batch/v1/jobs',
      'coordination.k8s.io/v1/leases',
      'discovery.k8s.io/v1/endpointslices',
      'networking.k8s.io/v1/ingresses',
      'storage.k8s.io/v1/csinodes',
    ])
      assert.ok(found.has(name), `${name} is not there`)
  },

  async 'discovery-group-version-resource'({ client }) {
    // Other tests' custom resources come and go meanwhile.
    const groups = (await listGroups(client)).filter(({ name }) => !name.endsWith('example.com'))
    assert.ok(groups.length > 0)
    for (const { name, versions } of groups) {
      assert.ok(versions.length > 0, `${name} has no version`)
      for (const { version, groupVersion } of versions) {
        assert.equal(groupVersion, `${name}/${version}`)
        const list = await getJson<ApiResourceList>(client, `/apis/${name}/${version}`)
        assert.equal(list.groupVersion, groupVersion)
        assert.ok(
          list.resources.some((resource) => resource.name && resource.kind && resource.verbs.length > 0),
          `${groupVersion} has no valid resource`,
        )
      }
    }
  },

  async 'discovery-preferred-version'({ client }) {
    const groups = (await listGroups(client)).filter(({ name }) => !name.endsWith('example.com'))
    assert.ok(groups.length > 0)
    for (const { name, preferredVersion, versions } of groups) {
      assert.ok(preferredVersion?.groupVersion, `${name} prefers no version`)
      assert.ok(
        versions.some(({ groupVersion }) => groupVersion === preferredVersion.groupVersion),
        `${name} prefers ${preferredVersion.groupVersion}, which it does not have`,
      )
    }
  },

  async 'server-version'({ client }) {
    const { major, minor } = await getJson<{ major: string; minor: string }>(client, '/version')
    assert.match(major, /^\d+$/)
    assert.match(minor, /^\d+$/)
  },

  async 'table-not-acceptable-406'({ client }) {
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { namespace: 'default', verb: 'list', resource: 'pods' } },
    }
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
    const answer = await send(client, 'POST', path, review, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' })
    assert.equal(answer.status, 406)
  },
}
