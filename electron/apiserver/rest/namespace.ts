/** Namespaces end in two steps: first they are marked, and gone only when their content is. Source: kubernetes `registry/core/namespace`. */
import type { Namespace } from '../../api/core/v1/types.gen.ts'
import type { ResourceHooks } from '../registry/registry.ts'

export const namespaceHooks: ResourceHooks = {
  holds: (object) => ((object as Namespace).spec.finalizers ?? []).length > 0,
  terminating(object) {
    ;(object as Namespace).status.phase = 'Terminating'
  },
}
