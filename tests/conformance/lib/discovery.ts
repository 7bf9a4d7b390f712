/** What a cluster says of its groups, versions and resources. Source: the shapes of apimachinery `meta/v1`. */
import assert from 'node:assert/strict'
import { apiVersionOf, type AnyKind } from '../../../electron/api/kind.ts'
import type { Client } from '../../../electron/client/client.ts'
import { getJson } from './raw.ts'

export interface ApiGroup {
  readonly name: string
  readonly versions: readonly { readonly groupVersion: string; readonly version: string }[]
  readonly preferredVersion?: { readonly groupVersion: string; readonly version: string }
}

export interface ApiResourceList {
  readonly groupVersion: string
  readonly resources: readonly {
    readonly name: string
    readonly kind: string
    readonly namespaced: boolean
    readonly verbs: readonly string[]
  }[]
}

export async function listGroups(client: Client): Promise<readonly ApiGroup[]> {
  return (await getJson<{ groups: ApiGroup[] }>(client, '/apis')).groups
}

/** The kind is in the documents of all groups, of its group, and of its version; so are its subresources that are named. */
export async function assertDiscovered(client: Client, kind: AnyKind, subresources: readonly string[] = []): Promise<void> {
  const groupVersion = apiVersionOf(kind)
  if (kind.group) {
    const inAll = (await listGroups(client)).find(({ name }) => name === kind.group)
    assert.ok(inAll, `/apis has no group ${kind.group}`)
    const ofGroup = await getJson<ApiGroup>(client, `/apis/${kind.group}`)
    for (const { versions } of [inAll, ofGroup]) {
      assert.ok(
        versions.some((version) => version.version === kind.version && version.groupVersion === groupVersion),
        `${kind.group} has no version ${kind.version}`,
      )
    }
  }
  const list = await getJson<ApiResourceList>(client, kind.group ? `/apis/${groupVersion}` : `/api/${groupVersion}`)
  assert.equal(list.groupVersion, groupVersion)
  const wanted = [kind.resource, ...subresources.map((name) => `${kind.resource}/${name}`)]
  for (const name of wanted) {
    const resource = list.resources.find((one) => one.name === name)
    assert.ok(resource, `${groupVersion} has no ${name}`)
    assert.equal(resource.namespaced, kind.namespaced)
    assert.equal(resource.kind, kind.kind)
  }
}
