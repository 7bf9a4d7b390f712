/** What a request is for, from its method, path and query. Source: apiserver `endpoints/request/requestinfo.go`. */
import { parseFieldRequirements } from '../machinery/selector/field-selector.ts'
import { pathSegmentName } from '../api/values/names.ts'

export interface RequestInfo {
  readonly isResource: boolean
  /** get, list, watch, create, update, patch, delete, deletecollection, proxy; else the method in lower case. */
  readonly verb: string
  readonly path: string
  readonly group: string
  readonly version: string
  readonly namespace: string
  readonly resource: string
  readonly subresource: string
  readonly name: string
  /** What follows the subresource in the path: "/stats/summary", or "". */
  readonly tail: string
  /** Of a list, watch or deletecollection. */
  readonly fieldSelector: string
  readonly labelSelector: string
}

const VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize'])

export function requestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const parts = splitPath(path)
  const root = parts[0]
  if (root === 'api' && parts.length >= 3) return resourceInfo(method, path, query, '', parts[1] ?? '', parts.slice(2))
  if (root === 'apis' && parts.length >= 4) return resourceInfo(method, path, query, parts[1] ?? '', parts[2] ?? '', parts.slice(3))
  return { ...NOTHING, isResource: false, verb: method.toLowerCase(), path }
}

const NOTHING = {
  group: '',
  version: '',
  namespace: '',
  resource: '',
  subresource: '',
  name: '',
  tail: '',
  fieldSelector: '',
  labelSelector: '',
}

function resourceInfo(
  method: string,
  path: string,
  query: URLSearchParams,
  group: string,
  version: string,
  given: readonly string[],
): RequestInfo {
  let parts = given
  let verb = VERBS[method] ?? ''
  const forcedWatch = parts[0] === 'watch' && parts.length > 1
  if (forcedWatch) {
    parts = parts.slice(1)
    verb = 'watch'
  }
  let namespace = ''
  if (parts[0] === 'namespaces' && parts.length > 1) {
    namespace = parts[1] ?? ''
    if (parts.length > 2 && !NAMESPACE_SUBRESOURCES.has(parts[2] ?? '')) parts = parts.slice(2)
  }
  const [resource = '', name = '', subresource = ''] = parts
  const tail = parts.length > 3 ? `/${parts.slice(3).join('/')}` : ''
  const info = { isResource: true, path, group, version, namespace, resource, subresource, tail }
  const collection = name === '' && (verb === 'get' || verb === 'delete')
  if (!collection && !forcedWatch) return { ...info, verb, name, fieldSelector: '', labelSelector: '' }
  if (verb === 'delete') verb = 'deletecollection'
  else if (verb === 'get') verb = flag(query.get('watch')) ? 'watch' : 'list'
  const fieldSelector = query.get('fieldSelector') ?? ''
  return { ...info, verb, name: name || selectedName(fieldSelector), fieldSelector, labelSelector: query.get('labelSelector') ?? '' }
}

const LONG_SUBRESOURCES = new Set(['attach', 'exec', 'proxy', 'log', 'portforward'])

/** What has no end of its own: watches, and what is done at a node. Source: apiserver `BasicLongRunningRequestCheck`. */
export function isLongRunning({ verb, subresource }: Pick<RequestInfo, 'verb' | 'subresource'>): boolean {
  return verb === 'watch' || LONG_SUBRESOURCES.has(subresource)
}

/** A list of one name is authorized as for that name. */
function selectedName(fieldSelector: string): string {
  if (!fieldSelector.includes('metadata.name')) return ''
  try {
    const name = parseFieldRequirements(fieldSelector).find((r) => r.field === 'metadata.name' && r.operator === '=')?.value ?? ''
    return pathSegmentName(name).length === 0 ? name : ''
  } catch {
    return ''
  }
}

/** A boolean of a query: present means true, but for "0" and "false". */
export function flag(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false'
}

function splitPath(path: string): string[] {
  let start = 0
  let end = path.length
  while (start < end && path.charCodeAt(start) === 0x2f) start++
  while (end > start && path.charCodeAt(end - 1) === 0x2f) end--
  return start === end ? [] : path.slice(start, end).split('/')
}
