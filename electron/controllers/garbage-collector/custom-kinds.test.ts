import { it } from 'vitest'
import { customResourceDefinition } from '../../api/apiextensions/v1/custom-resource-definition.ts'
import { configMap } from '../../api/core/v1/config-map.ts'
import { defineKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { isConditionTrue } from '../../machinery/conditions.ts'
import { ownerReference } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'
import { NAMESPACE, startCluster, type TestCluster } from '../testing/cluster.ts'

const widget = defineKind<KubeObject>({
  group: 'example.com',
  version: 'v1',
  kind: 'Widget',
  resource: 'widgets',
  namespaced: true,
  model: '',
})
const definition = { name: 'widgets.example.com' }

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 300; i++) {
    if (await what()) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error('it did not happen')
}

async function define({ client }: TestCluster): Promise<void> {
  await client.create(customResourceDefinition, {
    metadata: definition,
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  })
  await until(async () => isConditionTrue((await client.get(customResourceDefinition, definition)).status.conditions, 'Established'))
}

const isGone = (read: Promise<unknown>) =>
  read.then(
    () => false,
    (error: unknown) => hasReason(error, 'NotFound'),
  )

it('collects what custom resources own, and custom resources that are owned', async () => {
  await using cluster = await startCluster({ only: ['garbage-collector-controller'] })
  const { client } = cluster
  await define(cluster)
  const at = (name: string) => ({ name, namespace: NAMESPACE })
  const owner = await client.create(widget, { metadata: at('owner') })
  const ownerReferences = [ownerReference(owner, widget)]
  await client.create(configMap, { metadata: { ...at('owned'), ownerReferences } })
  await client.create(widget, { metadata: { ...at('owned'), ownerReferences } })
  await client.delete(widget, at('owner'), { propagationPolicy: 'Foreground' })
  await until(async () => (await isGone(client.get(configMap, at('owned')))) && isGone(client.get(widget, at('owned'))))
  await until(() => isGone(client.get(widget, at('owner'))))
})

it('collects what was owned by objects that went with their definition', async () => {
  await using cluster = await startCluster({ only: ['garbage-collector-controller'] })
  const { client } = cluster
  await define(cluster)
  const owner = await client.create(widget, { metadata: { name: 'owner', namespace: NAMESPACE } })
  const owned = { name: 'owned', namespace: NAMESPACE, ownerReferences: [ownerReference(owner, widget)] }
  await client.create(configMap, { metadata: owned })
  await client.delete(customResourceDefinition, definition)
  await until(() => isGone(client.get(customResourceDefinition, definition)))
  await until(() => isGone(client.get(configMap, owned)))
})
