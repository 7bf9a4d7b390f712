/** Lists of resources with wildcards: "pods", "pods/status", "*", "pods/*", "*\/scale". Source: as `rules.ts`. */
import { invalid, required, type FieldError } from '../../values/field-error.ts'

/** Whether "*" stands beside others that it makes needless. */
export function isWildcarded(values: readonly string[]): boolean {
  return values.length > 1 && values.includes('*')
}

export function validateResources(resources: readonly string[], field: string): FieldError[] {
  if (resources.length === 0) return [required(field)]
  const out: FieldError[] = []
  const anySubresource = new Set<string>()
  const anyResource = new Set<string>()
  resources.forEach((text, i) => {
    const at = `${field}[${i}]`
    if (text === '') return void out.push(required(at))
    const slash = text.indexOf('/')
    if (slash < 0) return
    const [resource, subresource] = [text.slice(0, slash), text.slice(slash + 1)]
    if (anySubresource.has(resource)) out.push(invalid(at, text, `if '${resource}/*' is present, must not specify ${text}`))
    if (anyResource.has(subresource)) out.push(invalid(at, text, `if '*/${subresource}' is present, must not specify ${text}`))
    if (subresource === '*') anySubresource.add(resource)
    if (resource === '*') anyResource.add(subresource)
  })
  if (resources.length > 1 && resources.includes('*/*'))
    out.push(invalid(field, resources, "if '*/*' is present, must not specify other resources"))
  if (resources.includes('*') && resources.some((text) => text !== '*' && text !== '' && !text.includes('/')))
    out.push(invalid(field, resources, "if '*' is present, must not specify other resources without subresources"))
  return out
}
