/** The paths of CustomResourceDefinitions that name one field: ".spec.replicas". */
const SIMPLE = /^(?:\.(?:[A-Za-z_][\w-]*|\['[^']+'\])|\['[^']+'\])+$/

/** The names on the way; null for what is no such path. */
export function simplePath(path: string): readonly string[] | null {
  if (!SIMPLE.test(path)) return null
  return [...path.matchAll(/\['([^']+)'\]|([A-Za-z_][\w-]*)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
}
