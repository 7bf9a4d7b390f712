import type { ObjectMeta } from './object.ts'

/** The metadata without field ownership, which is not even looked at: objects of the API server's cache read theirs when somebody does. */
export function withoutManagedFields(metadata: ObjectMeta): Omit<ObjectMeta, 'managedFields'> {
  const kept: Partial<Record<keyof ObjectMeta, unknown>> = {}
  for (const key in metadata) if (key !== 'managedFields') kept[key as keyof ObjectMeta] = metadata[key as keyof ObjectMeta]
  return kept as ObjectMeta
}
