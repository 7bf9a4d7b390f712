/** Kinds that are served but not built in, with what the server prints of their objects. */
import { customResourceDefinition } from '../../api/apiextensions/v1/custom-resource-definition.ts'
import { defineKind, type AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { columnsOf } from '../../apiserver/customresources/columns.ts'
import type { Client } from '../../client/client.ts'
import type { ListColumnSpec, ListRow } from '../../contracts/list-channels.ts'
import { hasReason } from '../../machinery/status.ts'
import { columnDefinitions, toTable } from '../../machinery/table.ts'

interface Named {
  readonly group: string
  readonly version: string
  readonly resource: string
}

/** A custom resource's version with its columns; for what another server serves, name and age. Only its path matters to list and watch. */
export async function printedKind(client: Client, named: Named): Promise<AnyKind> {
  const { group, version, resource } = named
  const definition = group === '' ? null : await definitionOf(client, `${resource}.${group}`)
  const found = definition?.spec.versions.find((each) => each.name === version)
  return defineKind<KubeObject>({
    ...{ group, version, resource, model: '' },
    kind: definition?.spec.names.kind ?? '',
    namespaced: definition ? definition.spec.scope === 'Namespaced' : true,
    columns: columnsOf(found?.additionalPrinterColumns),
  })
}

async function definitionOf(client: Client, name: string) {
  try {
    return await client.get(customResourceDefinition, { name })
  } catch (error) {
    // Who may not read definitions sees names and ages.
    if (hasReason(error, 'NotFound', 'Forbidden')) return null
    throw error
  }
}

export const printedColumns = (kind: AnyKind): ListColumnSpec[] =>
  columnDefinitions(kind).map(({ name, type, format, description, priority }) => ({ name, type, format, description, priority }))

export function printedCells(kind: AnyKind, object: KubeObject, now: number): NonNullable<ListRow['cells']> {
  return [...(toTable(kind, [object], { include: 'None', now }).rows[0]?.cells ?? [])]
}
