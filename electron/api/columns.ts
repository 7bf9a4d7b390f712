/** Printer columns that many kinds share. Source of names and order: kubernetes `pkg/printers/internalversion`. */
import type { Column } from './kind.ts'
import type { KubeObject } from './meta/v1/object.ts'
import { age } from './values/time.ts'

export const ageColumn: Column<KubeObject> = {
  name: 'Age',
  type: 'string',
  description: 'Time since the object was created',
  value: (object, now) => age(object.metadata.creationTimestamp, now),
}

/** What tables show of kinds that have no columns of their own. */
export const createdAtColumn: Column<KubeObject> = {
  name: 'Created At',
  type: 'date',
  description: 'When the object was created',
  value: ({ metadata }) => metadata.creationTimestamp,
}

/** What a table shows for a list of strings that may be empty. */
export function joined(values: readonly string[] | undefined, empty = '<none>', separator = ','): string {
  return values?.length ? values.join(separator) : empty
}

/** `a=1,b=2` in the order of the keys, `<none>` when there are none. */
export function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  return joined(
    Object.keys(labels ?? {})
      .sort()
      .map((key) => `${key}=${labels?.[key]}`),
  )
}

interface NamedImage {
  readonly name: string
  readonly image?: string
}

/** The wide columns of everything that makes pods from a template. */
export function templateColumns<T>(containersOf: (object: T) => readonly NamedImage[] | undefined): readonly Column<T>[] {
  const list = (object: T, what: (container: NamedImage) => string) => (containersOf(object) ?? []).map(what).join(',')
  return [
    {
      name: 'Containers',
      type: 'string',
      priority: 1,
      description: 'Names of the containers in the template',
      value: (object) => list(object, ({ name }) => name),
    },
    {
      name: 'Images',
      type: 'string',
      priority: 1,
      description: 'Images of the containers in the template',
      value: (object) => list(object, ({ image }) => image ?? ''),
    },
  ]
}
