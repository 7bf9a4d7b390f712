/** Which names a definition gets: within a group nobody takes another's. Source: apiextensions-apiserver `controller/status/naming_controller.go`. */
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionStatus,
} from '../../api/apiextensions/v1/types.gen.ts'
import type { AnyKind } from '../../api/kind.ts'
import type { Time } from '../../api/meta/v1/object.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { findCondition, isConditionTrue, setCondition } from '../../machinery/conditions.ts'

/** What a group's names are: those of resources share one space, those of kinds another. */
interface Taken {
  readonly resources: ReadonlySet<string>
  readonly kinds: ReadonlySet<string>
}

/** `others` are all definitions, `builtIn` the kinds that are served without one. */
export function namesTaken(group: string, except: string, others: Iterable<CustomResourceDefinition>, builtIn: readonly AnyKind[]): Taken {
  const resources = new Set<string>()
  const kinds = new Set<string>()
  const take = ({ plural, singular, shortNames = [], kind, listKind }: CustomResourceDefinitionNames) => {
    for (const name of [plural, singular, ...shortNames]) if (name) resources.add(name)
    for (const name of [kind, listKind]) if (name) kinds.add(name)
  }
  for (const { metadata, spec, status } of others) if (spec.group === group && metadata.name !== except) take(status.acceptedNames)
  for (const kind of builtIn) {
    if (kind.group !== group) continue
    const { resource: plural, singular, shortNames } = kind
    take({ plural, singular, shortNames: [...shortNames], kind: kind.kind, listKind: `${kind.kind}List` })
  }
  return { resources, kinds }
}

/** The status with accepted names and conditions as they should be; the same object if they are. */
export function acceptNames(definition: CustomResourceDefinition, taken: Taken, now: Time): CustomResourceDefinitionStatus {
  const { spec, status } = definition
  const { names, conflict } = accepted(spec.names, status.acceptedNames, taken)
  const condition: Omit<CustomResourceDefinitionCondition, 'lastTransitionTime'> = conflict
    ? { type: 'NamesAccepted', status: 'False', ...conflict }
    : { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
  let conditions = setCondition(status.conditions, condition, now)
  if (!isConditionTrue(conditions, 'Established')) {
    if (!conflict) {
      const message = 'the initial names have been accepted'
      conditions = setCondition(conditions, { type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message }, now)
    } else if (!findCondition(conditions, 'Established')) {
      const message = 'not all names are accepted'
      conditions = setCondition(conditions, { type: 'Established', status: 'False', reason: 'NotAccepted', message }, now)
    }
  }
  if (conditions === status.conditions && semanticEqual(names, status.acceptedNames)) return status
  return { ...status, acceptedNames: names, conditions: [...conditions] }
}

interface Accepted {
  readonly names: CustomResourceDefinitionNames
  /** The last name that is another's. */
  readonly conflict: { readonly reason: string; readonly message: string } | null
}

/** What is free is taken over, name by name; the rest stays as it was. */
function accepted(wanted: CustomResourceDefinitionNames, present: CustomResourceDefinitionNames, taken: Taken): Accepted {
  const names: CustomResourceDefinitionNames = { ...present }
  let conflict: Accepted['conflict'] = null
  const used = (name: string) => `${JSON.stringify(name)} is already in use`
  const one = (field: 'plural' | 'singular' | 'kind' | 'listKind', space: ReadonlySet<string>, reason: string) => {
    const name = wanted[field] ?? ''
    if (name !== present[field] && space.has(name)) conflict = { reason, message: used(name) }
    else if (name || field === 'plural' || field === 'kind') names[field] = name
  }
  one('plural', taken.resources, 'PluralConflict')
  one('singular', taken.resources, 'SingularConflict')
  const short = (wanted.shortNames ?? []).filter((name) => !present.shortNames?.includes(name) && taken.resources.has(name))
  if (short.length === 1) conflict = { reason: 'ShortNamesConflict', message: used(short[0] ?? '') }
  else if (short.length > 1) conflict = { reason: 'ShortNamesConflict', message: `[${short.map(used).join(', ')}]` }
  else if (wanted.shortNames) names.shortNames = wanted.shortNames
  else delete names.shortNames
  one('kind', taken.kinds, 'KindConflict')
  one('listKind', taken.kinds, 'ListKindConflict')
  if (wanted.categories) names.categories = wanted.categories
  else delete names.categories
  return { names, conflict }
}
