/** What is scaled: any resource with a `scale` subresource, found by discovery. */
import type { Scale } from '../../api/autoscaling/v1/types.gen.ts'
import type { CrossVersionObjectReference } from '../../api/autoscaling/v2/types.gen.ts'
import type { Client } from '../../client/client.ts'
import { getJson, putJson } from './get-json.ts'

export interface Target {
  readonly scale: Scale
  /** Throws StatusError. */
  resize(replicas: number): Promise<void>
}

interface ResourceList {
  readonly resources: readonly { readonly name: string; readonly kind: string }[]
}

/** Throws StatusError, or Error where there is no such kind that can be scaled. */
export async function findTarget(client: Client, namespace: string, reference: CrossVersionObjectReference): Promise<Target> {
  const { root, resource } = await resourceOf(client, reference)
  const path = `${root}/namespaces/${namespace}/${resource}/${encodeURIComponent(reference.name)}/scale`
  const scale = await getJson<Scale>(client, path)
  return {
    scale,
    async resize(replicas) {
      await putJson<Scale>(client, path, { ...scale, spec: { ...scale.spec, replicas } })
    },
  }
}

/** The path of the reference's group and version, and the plural of its kind. */
export async function resourceOf(
  client: Client,
  { apiVersion = 'v1', kind }: CrossVersionObjectReference,
): Promise<{ root: string; resource: string }> {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const { resources } = await getJson<ResourceList>(client, root)
  const found = resources.find((one) => one.kind === kind && !one.name.includes('/'))
  if (!found) throw new Error(`no matches for kind "${kind}" in version "${apiVersion}"`)
  return { root, resource: found.name }
}
