/** The words of a filter: each must be found somewhere; `ns:shop`, `node:moth` and `app=web` narrow by field and label. */
import type { KubeObject } from '../../api/meta/v1/object.ts'

export interface Filter {
  readonly empty: boolean
  /** `haystack`: what is searched in the object, in lower case. */
  fits(object: KubeObject, haystack: string): boolean
}

export function parseFilter(text: string): Filter {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const tests = words.map((word): ((object: KubeObject, haystack: string) => boolean) => {
    if (word.startsWith('ns:')) return (object) => object.metadata.namespace?.includes(word.slice(3)) === true
    if (word.startsWith('node:')) return (object) => nodeOf(object).includes(word.slice(5))
    const equals = word.indexOf('=')
    if (equals > 0) {
      const label = word.slice(0, equals)
      const value = word.slice(equals + 1)
      return (object) =>
        Object.entries(object.metadata.labels ?? {}).some(([k, v]) => k.toLowerCase() === label && v.toLowerCase().startsWith(value))
    }
    if (word.startsWith('!') && word.length > 1) return (_object, haystack) => !haystack.includes(word.slice(1))
    return (_object, haystack) => haystack.includes(word)
  })
  return { empty: tests.length === 0, fits: (object, haystack) => tests.every((test) => test(object, haystack)) }
}

/** Where it runs; empty for what runs nowhere. */
function nodeOf(object: KubeObject): string {
  const { spec } = object as KubeObject & { readonly spec?: { readonly nodeName?: unknown } }
  return typeof spec?.nodeName === 'string' ? spec.nodeName : ''
}
