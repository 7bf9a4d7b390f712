import { it } from 'vitest'
import { customResourceDefinition } from '../../api/apiextensions/v1/custom-resource-definition.ts'
import { configMap } from '../../api/core/v1/config-map.ts'
import { ownerReference } from '../../machinery/object.ts'
import { NAMESPACE, startCluster } from '../testing/cluster.ts'
import { defineWidgets, isGone, until, widget, WIDGETS } from '../testing/custom-resources.ts'

it('collects what custom resources own, and custom resources that are owned', async () => {
  await using cluster = await startCluster({ only: ['garbage-collector-controller'] })
  const { client } = cluster
  await defineWidgets(client)
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
  await defineWidgets(client)
  const owner = await client.create(widget, { metadata: { name: 'owner', namespace: NAMESPACE } })
  const owned = { name: 'owned', namespace: NAMESPACE, ownerReferences: [ownerReference(owner, widget)] }
  await client.create(configMap, { metadata: owned })
  await client.delete(customResourceDefinition, WIDGETS)
  await until(() => isGone(client.get(customResourceDefinition, WIDGETS)))
  await until(() => isGone(client.get(configMap, owned)))
})
