import { it } from 'vitest'
import { namespace } from '../../api/core/v1/namespace.ts'
import { startCluster } from '../testing/cluster.ts'
import { defineWidgets, isGone, until, widget } from '../testing/custom-resources.ts'

it('takes custom resources with a namespace', async () => {
  await using cluster = await startCluster({ only: ['namespace-controller'] })
  const { client } = cluster
  await defineWidgets(client)
  await client.create(namespace, { metadata: { name: 'gone' } })
  await client.create(widget, { metadata: { name: 'a', namespace: 'gone' } })
  await client.delete(namespace, { name: 'gone' })
  await until(async () => {
    await cluster.advance(10_000)
    return isGone(client.get(namespace, { name: 'gone' }))
  })
  await until(() => isGone(client.get(widget, { name: 'a', namespace: 'gone' })))
})
