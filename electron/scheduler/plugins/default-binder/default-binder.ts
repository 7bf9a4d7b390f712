import { pod as podKind } from '../../../api/core/v1/pod.ts'
import type { Pod } from '../../../api/core/v1/types.gen.ts'
import type { Draft } from '../../../api/meta/v1/object.ts'
import { definePlugin } from '../../framework/descriptor.ts'
import type { AnyPlugin } from '../../framework/plugin.ts'

const name = 'DefaultBinder'

/** Binds through the pod's `binding`, which the API server accepts once only. */
export const defaultBinder = definePlugin({
  name,
  defaults: {},
  create: (_args, { client }): AnyPlugin => ({
    name,
    async bind(_cycle, { pod, uid }, node, signal) {
      const { name: podName, namespace = '' } = pod.metadata
      const binding = {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: podName, namespace, uid },
        target: { kind: 'Node', name: node },
      }
      // A subresource takes a kind of its own.
      await client.create(podKind, binding as Draft<Pod>, { subresource: 'binding', signal })
      return null
    },
  }),
})
