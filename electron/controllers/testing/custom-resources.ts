/** A custom resource for tests: namespaced Widgets of example.com. */
import { customResourceDefinition } from '../../api/apiextensions/v1/custom-resource-definition.ts'
import { defineKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { Client } from '../../client/client.ts'
import { isConditionTrue } from '../../machinery/conditions.ts'
import { hasReason } from '../../machinery/status.ts'

export const widget = defineKind<KubeObject>({
  group: 'example.com',
  version: 'v1',
  kind: 'Widget',
  resource: 'widgets',
  namespaced: true,
  model: '',
})
export const WIDGETS = { name: 'widgets.example.com' }

/** Resolves when widgets are served. */
export async function defineWidgets(client: Client): Promise<void> {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
  await client.create(customResourceDefinition, {
    metadata: WIDGETS,
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget' },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  })
  await until(async () => isConditionTrue((await client.get(customResourceDefinition, WIDGETS)).status.conditions, 'Established'))
}

export async function until(what: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 300; i++) {
    if (await what()) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error('it did not happen')
}

/** Whether what is read is not there any more. */
export function isGone(read: Promise<unknown>): Promise<boolean> {
  return read.then(
    () => false,
    (error: unknown) => hasReason(error, 'NotFound'),
  )
}
