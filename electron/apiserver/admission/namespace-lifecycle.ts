/** Nothing new in a namespace that is missing or ends; and some namespaces never end. Source: apiserver `plugin/namespace/lifecycle`. */
import type { Namespace } from '../../api/core/v1/types.gen.ts'
import { groupResource } from '../../api/kind.ts'
import { forbidden, notFound } from '../../machinery/status.ts'
import type { Lookup } from '../registry/lookup.ts'
import type { AdmissionPlugin } from './admission.ts'

const NAMESPACES = { group: '', version: 'v1', resource: 'namespaces' }
const IMMORTAL = new Set(['default', 'kube-system', 'kube-public'])

export function namespaceLifecycle(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    handles: ({ operation, kind }) =>
      operation === 'CREATE'
        ? kind.namespaced && !isAccessReview(kind)
        : operation === 'DELETE' && groupResource(kind) === NAMESPACES.resource,
    async admit({ operation, kind, name, namespace }) {
      if (operation !== 'CREATE') return
      const found = await lookup.get<Namespace>(NAMESPACES, '', namespace)
      if (!found) throw notFound(NAMESPACES, namespace)
      if (found.status.phase !== 'Terminating') return
      const why = `unable to create new content in namespace ${namespace} because it is being terminated`
      const error = forbidden(kind, name, why)
      const cause = { reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' }
      error.status.details = { ...error.status.details, causes: [cause] }
      throw error
    },
    validate({ operation, kind, name }) {
      if (operation === 'DELETE' && IMMORTAL.has(name)) throw forbidden(kind, name, 'this namespace may not be deleted')
    },
  }
}

/** Its answer must not tell whether a namespace exists. */
function isAccessReview({ group }: { group: string }): boolean {
  return group === 'authorization.k8s.io'
}
