import type { KubeObject } from '../../api/meta/v1/object.ts'

/** Gives an object the content of another, in place: those who hold it, or its metadata, see the new content. */
export function replaceObject(object: KubeObject, next: KubeObject): void {
  const { metadata } = object
  refill(metadata, next.metadata)
  refill(object, next)
  object.metadata = metadata
}

function refill(target: object, source: object): void {
  if (target === source) return
  for (const key of Object.keys(target)) delete (target as Record<string, unknown>)[key]
  Object.assign(target, source)
}
