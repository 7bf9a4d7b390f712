/** An apply that would change what others own. Source: apimachinery `util/managedfields`, structured-merge-diff `merge.Conflicts`. */
import { failure, type StatusError } from '../status.ts'
import type { Owner } from './managed-fields.ts'
import { showPath, type PathElement } from './path-element.ts'

export interface Conflict {
  readonly owner: Owner
  readonly path: readonly PathElement[]
}

export class ConflictError extends Error {
  override readonly name = 'ConflictError'
  readonly conflicts: readonly Conflict[]

  constructor(conflicts: readonly Conflict[]) {
    super(conflictMessage(conflicts))
    this.conflicts = conflicts
  }

  /** 409 with a cause for each field. */
  toStatus(): StatusError {
    const causes = this.conflicts.map(({ owner, path }) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${showOwner(owner)}`,
      field: showPath(path),
    }))
    return failure(409, 'Conflict', this.message, { causes })
  }
}

function conflictMessage(conflicts: readonly Conflict[]): string {
  const [first] = conflicts
  if (first && conflicts.length === 1)
    return `Apply failed with 1 conflict: conflict with ${showOwner(first.owner)}: ${showPath(first.path)}`
  const byOwner = new Map<string, string[]>()
  for (const { owner, path } of conflicts) {
    const shown = showOwner(owner)
    byOwner.set(shown, [...(byOwner.get(shown) ?? []), `- ${showPath(path)}`])
  }
  const lines = [...byOwner].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([owner, paths]) => [`conflicts with ${owner}:`, ...paths])
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`
}

function showOwner({ manager, operation, apiVersion, subresource }: Owner): string {
  const name = JSON.stringify(manager) + (subresource ? ` with subresource ${JSON.stringify(subresource)}` : '')
  return operation === 'Update' ? `${name} using ${apiVersion}` : name
}
