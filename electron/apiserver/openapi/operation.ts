/** What can be done with a kind over HTTP, in a form that both versions of OpenAPI are written from. */
import { apiVersionOf, pathOf, type AnyKind, type Subresource, type Verb } from '../../api/kind.ts'
import { PATCH_TYPES } from '../../client/request.ts'
import {
  LIST_QUERY,
  LOG_QUERY,
  STREAM_QUERY,
  DELETE_QUERY,
  PATH_PARAMETERS,
  PRETTY,
  WRITE_QUERY,
  FORCE,
  type Parameter,
} from './parameters.ts'

export type Method = 'get' | 'put' | 'post' | 'delete' | 'patch'

export interface GroupVersionKind {
  readonly group: string
  readonly kind: string
  readonly version: string
}

export interface Operation {
  readonly method: Method
  readonly id: string
  readonly description: string
  readonly tag: string
  readonly action: string
  readonly gvk: GroupVersionKind
  /** In the query, beside those of the path. */
  readonly query: readonly Parameter[]
  /** Model of the body; null: none. */
  readonly body: string | null
  readonly consumes: readonly string[]
  readonly produces: readonly string[]
  /** Model of the answer by status; null: text. */
  readonly answers: Readonly<Record<string, string | null>>
}

export interface PathItem {
  readonly path: string
  readonly parameters: readonly Parameter[]
  readonly operations: readonly Operation[]
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.'
export const STATUS = `${META}Status`
export const DELETE_OPTIONS = `${META}DeleteOptions`
export const PATCH = `${META}Patch`
const JSON_TYPES = ['application/json', 'application/yaml']
const LIST_TYPES = [...JSON_TYPES, 'application/json;stream=watch']
const ANY = ['*/*']

/** The model of a kind that is sent or returned by a subresource. */
export function modelOf(group: string, version: string, kind: string): string {
  return `io.k8s.api.${group.split('.')[0] || 'core'}.${version}.${kind}`
}

export function pathsOf(kind: AnyKind): PathItem[] {
  const items: PathItem[] = []
  const scope = kind.namespaced ? '{namespace}' : undefined
  const collection = decodeURIComponent(pathOf(kind, scope))
  const add = (path: string, operations: Operation[]) => {
    if (!operations.length) return
    const inPath = PATH_PARAMETERS.filter(({ name }) => path.includes(`{${name}}`))
    items.push({ path, parameters: [...inPath, PRETTY], operations })
  }
  const has = (verb: Verb) => kind.verbs.includes(verb)
  const d = describe(kind)
  add(collection, [
    ...(has('list') ? [d.list()] : []),
    ...(has('create') ? [d.create()] : []),
    ...(has('deletecollection') ? [d.deleteCollection()] : []),
  ])
  if (kind.namespaced && has('list')) add(pathOf(kind), [d.list('ForAllNamespaces')])
  add(`${collection}/{name}`, [
    ...(has('get') ? [d.read()] : []),
    ...(has('update') ? [d.replace()] : []),
    ...(has('patch') ? [d.patch()] : []),
    ...(has('delete') ? [d.remove()] : []),
  ])
  for (const [name, part] of Object.entries(kind.subresources)) {
    const path = `${collection}/{name}/${name}`
    if (!isConnection(name, part)) {
      add(
        path,
        part.verbs.flatMap((verb) => d.part(name, part, verb)),
      )
      continue
    }
    add(path, d.connect(name, part, false))
    if (name === 'proxy') add(`${path}/{path}`, d.connect(name, part, true))
  }
  return items
}

function isConnection(name: string, part: Subresource): boolean {
  return name === 'log' || (part.kind ?? '').endsWith('Options')
}

function describe(kind: AnyKind) {
  const groupName = capital(kind.group.split('.')[0] || 'core')
  const base = `${groupName}${capital(kind.version)}`
  const scoped = kind.namespaced ? 'Namespaced' : ''
  const gvk = { group: kind.group, kind: kind.kind, version: kind.version }
  const tag = kind.group ? `${camel(kind.group.replace(/\.k8s\.io$/, ''))}_${kind.version}` : `core_${kind.version}`
  const list = `${kind.model}List`
  const common = { tag, gvk, body: null, consumes: ANY, produces: JSON_TYPES }
  const written = { ...common, query: WRITE_QUERY, body: kind.model }
  return {
    list: (suffix = ''): Operation => ({
      ...common,
      method: 'get',
      id: suffix ? `list${base}${kind.kind}${suffix}` : `list${base}${scoped}${kind.kind}`,
      description: `list or watch objects of kind ${kind.kind}`,
      action: 'list',
      query: LIST_QUERY,
      produces: LIST_TYPES,
      answers: { 200: list },
    }),
    create: (): Operation => ({
      ...written,
      method: 'post',
      id: `create${base}${scoped}${kind.kind}`,
      description: `create a ${kind.kind}`,
      action: 'post',
      answers: { 200: kind.model, 201: kind.model, 202: kind.model },
    }),
    deleteCollection: (): Operation => ({
      ...common,
      method: 'delete',
      id: `delete${base}Collection${scoped}${kind.kind}`,
      description: `delete collection of ${kind.kind}`,
      action: 'deletecollection',
      query: [...LIST_QUERY.filter(({ name }) => name !== 'watch' && name !== 'allowWatchBookmarks'), ...DELETE_QUERY],
      body: DELETE_OPTIONS,
      answers: { 200: STATUS },
    }),
    read: (): Operation => ({
      ...common,
      method: 'get',
      id: `read${base}${scoped}${kind.kind}`,
      description: `read the specified ${kind.kind}`,
      action: 'get',
      query: [],
      answers: { 200: kind.model },
    }),
    replace: (): Operation => ({
      ...written,
      method: 'put',
      id: `replace${base}${scoped}${kind.kind}`,
      description: `replace the specified ${kind.kind}`,
      action: 'put',
      answers: { 200: kind.model, 201: kind.model },
    }),
    patch: (): Operation => ({
      ...common,
      method: 'patch',
      id: `patch${base}${scoped}${kind.kind}`,
      description: `partially update the specified ${kind.kind}`,
      action: 'patch',
      query: [...WRITE_QUERY, FORCE],
      body: PATCH,
      consumes: patchTypesOf(kind),
      answers: { 200: kind.model, 201: kind.model },
    }),
    remove: (): Operation => ({
      ...common,
      method: 'delete',
      id: `delete${base}${scoped}${kind.kind}`,
      description: `delete a ${kind.kind}`,
      action: 'delete',
      query: DELETE_QUERY,
      body: DELETE_OPTIONS,
      answers: { 200: STATUS, 202: STATUS },
    }),
    part(name: string, part: Subresource, verb: Verb): Operation[] {
      const group = part.group ?? kind.group
      const version = part.version ?? kind.version
      const own = { group, version, kind: part.kind ?? kind.kind }
      const model = part.kind ? modelOf(group, version, part.kind) : kind.model
      const id = `${base}${scoped}${kind.kind}${capital(name)}`
      const shared = { ...common, gvk: own, answers: { 200: model, 201: model } }
      const of = `${name} of the specified ${kind.kind}`
      switch (verb) {
        case 'get':
          return [
            { ...shared, method: 'get', id: `read${id}`, description: `read ${of}`, action: 'get', query: [], answers: { 200: model } },
          ]
        case 'update':
          return [
            { ...shared, method: 'put', id: `replace${id}`, description: `replace ${of}`, action: 'put', query: WRITE_QUERY, body: model },
          ]
        case 'patch':
          return [
            {
              ...shared,
              method: 'patch',
              id: `patch${id}`,
              description: `partially update ${of}`,
              action: 'patch',
              query: [...WRITE_QUERY, FORCE],
              body: PATCH,
              consumes: patchTypesOf(kind),
            },
          ]
        case 'create':
          return [
            { ...shared, method: 'post', id: `create${id}`, description: `create ${of}`, action: 'post', query: WRITE_QUERY, body: model },
          ]
        default:
          return []
      }
    },
    connect(name: string, part: Subresource, withPath: boolean): Operation[] {
      const suffix = `${scoped}${kind.kind}${capital(name)}${withPath ? 'WithPath' : ''}`
      const own = part.kind ? { ...gvk, kind: part.kind } : gvk
      const query = name === 'log' ? LOG_QUERY : (STREAM_QUERY[name] ?? [])
      return part.verbs.flatMap((verb): Operation[] => {
        const method = CONNECT_METHODS[verb]
        if (!method) return []
        const isLog = name === 'log'
        return [
          {
            ...common,
            gvk: own,
            method,
            id: isLog ? `read${base}${suffix}` : `connect${base}${capital(method)}${suffix}`,
            description: isLog
              ? `read log of the specified ${kind.kind}`
              : `connect ${method.toUpperCase()} requests to ${name} of ${kind.kind}`,
            action: isLog ? 'get' : 'connect',
            query,
            produces: isLog ? ['text/plain', 'application/json', 'application/yaml'] : ANY,
            answers: { 200: null },
          },
        ]
      })
    },
  }
}

/** kubectl patches what it finds here: there is no strategic merge where the server knows no merge keys. */
function patchTypesOf({ custom }: AnyKind): readonly string[] {
  const { strategic, ...others } = PATCH_TYPES
  return Object.values(custom ? others : { ...others, strategic })
}

const CONNECT_METHODS: Readonly<Partial<Record<Verb, Method>>> = {
  get: 'get',
  create: 'post',
  update: 'put',
  patch: 'patch',
  delete: 'delete',
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function camel(text: string): string {
  return text.replace(/[.-](\w)/g, (_all, letter: string) => letter.toUpperCase())
}

/** "apis/apps/v1", "api/v1": how a group version is called below /openapi/v3. */
export function documentName(kind: { group: string; version: string }): string {
  return `${kind.group ? 'apis' : 'api'}/${apiVersionOf(kind)}`
}
