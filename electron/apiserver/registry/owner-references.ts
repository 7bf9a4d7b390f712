import type { KubeObject } from '../../api/meta/v1/object.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import type { Call } from './registry.ts'

/** An owner that is named twice in the same words counts once, with a warning. Source: apiserver `endpoints/handlers/rest.go`. */
export function dropRepeatedOwners(call: Call, { metadata }: KubeObject, admitted: boolean): void {
  const owners = metadata.ownerReferences
  if (!owners || owners.length < 2) return
  const kept = owners.filter((owner, i) => !owners.slice(0, i).some((earlier) => semanticEqual(earlier, owner)))
  if (kept.length === owners.length) return
  const repeated = owners.filter((owner) => !kept.includes(owner)).map(({ uid }) => uid)
  metadata.ownerReferences = kept
  call.warn(
    `.metadata.ownerReferences contains duplicate entries${admitted ? ' after mutating admission happens' : ''}; API server dedups owner ` +
      'references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; ' +
      `duplicate UID(s) observed: ${repeated.join(', ')}`,
  )
}
