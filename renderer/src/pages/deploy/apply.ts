/** Sends a manifest to the API server, for real or dry: by server-side apply, document by document, as `kubectl apply --server-side`. */
import { stringify } from 'yaml'
import type { KubeObject } from '../../../../electron/api/meta/v1/object.ts'
import { pathOf } from '../../../../electron/api/kind.ts'
import { refusalInWords, refusedPlaces } from '../../editor/refusal.ts'
import { rangeOf, type Manifest, type ManifestObject, type Problem } from '../../editor/yaml.ts'
import type { Face } from '../../face/face.ts'
import { failureOf, isNotFound, reasonOf, type Failure } from '../../face/failure.ts'
import { t } from '../../i18n/index.ts'
import { APPLY_PATCH, FIELD_MANAGER, send, type ApiAnswer, type ApiCall } from '../../kube/api.ts'
import { apiVersion, KNOWN, type ObjectRef, type Resource } from '../../kube/resources.ts'
import type { Step } from '../../actions/plan.ts'

export type Effect = 'made' | 'changed' | 'same'

export interface Outcome {
  /** Place of its document among those of the manifest. */
  readonly index: number
  readonly title: string
  readonly ref: ObjectRef | null
  readonly effect: Effect | null
  readonly before: KubeObject | null
  readonly after: KubeObject | null
  readonly warnings: readonly string[]
  readonly failure: Failure | null
  /** The namespace that is not there. */
  readonly missingNamespace?: string
  /** Fields that another manager owns: applying with force takes them over. */
  readonly contested: boolean
}

export interface Document {
  readonly index: number
  readonly object: ManifestObject
  readonly resource: Resource
  readonly ref: ObjectRef
}

type FindKind = (apiVersionText: string, kind: string) => Resource | undefined

export const titleOf = (object: ManifestObject): string =>
  `${object.kind ?? ''} ${object.metadata?.name ?? object.metadata?.generateName ?? ''}`.trim()

/** The documents with their addresses, and problems of those that have none. */
export function address(manifest: Manifest, findKind: FindKind, namespace: string): { documents: Document[]; problems: Problem[] } {
  const documents: Document[] = []
  const problems: Problem[] = []
  for (const [index, { doc, object }] of manifest.documents.entries()) {
    if (!object) continue
    const range = rangeOf(doc, object.kind ? 'kind' : '') ?? [0, 1]
    const problem = (message: string) => problems.push({ line: manifest.lineAt(range[0]), from: range[0], to: range[1], message })
    if (!object.apiVersion || !object.kind) {
      problem(t('deploy.problem.noKind'))
      continue
    }
    const resource = findKind(object.apiVersion, object.kind)
    if (!resource) problem(t('deploy.problem.unknownKind', { kind: object.kind, version: object.apiVersion }))
    else if (!object.metadata?.name && !object.metadata?.generateName) problem(t('deploy.problem.noName'))
    else {
      const to = resource.namespaced ? { namespace: object.metadata.namespace ?? namespace } : {}
      documents.push({ index, object, resource, ref: { resource, name: object.metadata.name ?? '', ...to } })
    }
  }
  return { documents, problems }
}

/** Kinds that the UI knows need no discovery. */
export function kindFinder(served: () => readonly Resource[]): FindKind {
  return (version, kind) => [...KNOWN, ...served()].find((r) => r.kind === kind && apiVersion(r) === version)
}

export function applyCall(document: Document, options: { dryRun: boolean; force: boolean }): ApiCall {
  const { ref, object, resource } = document
  const query = { fieldManager: FIELD_MANAGER, fieldValidation: 'Strict', ...(options.dryRun ? { dryRun: 'All' } : {}) }
  if (!object.metadata?.name) return { method: 'POST', path: pathOf(resource, ref.namespace), query, body: object }
  return {
    method: 'PATCH',
    path: pathOf(resource, ref.namespace, ref.name),
    query: { ...query, force: String(options.force) },
    contentType: APPLY_PATCH,
    body: stringify(object),
  }
}

export const applySteps = (documents: readonly Document[], force: boolean): Step[] =>
  documents.map((document, index) => ({
    call: applyCall(document, { dryRun: false, force }),
    kubectl:
      index === 0
        ? `kubectl apply --server-side --field-manager=${FIELD_MANAGER}${force ? ' --force-conflicts' : ''} -f manifest.yaml`
        : '',
  }))

/** One document. Never throws: what goes wrong is in the outcome; only the connection's loss is thrown. */
export async function applyOne(
  face: Face,
  document: Document,
  options: { dryRun: boolean; force: boolean },
  request: (call: ApiCall) => Promise<ApiAnswer<KubeObject>> = (call) => send<KubeObject>(face, call),
): Promise<Outcome> {
  const { ref, object, index } = document
  const base = { index, title: titleOf(object), ref, warnings: [], contested: false }
  let before: KubeObject | null = null
  try {
    if (ref.name) before = await present(request, ref)
    const { body: after, warnings } = await request(applyCall(document, options))
    return { ...base, before, after, warnings, effect: effectOf(before, after), failure: null }
  } catch (error) {
    const refused = failureOf(error, t(options.dryRun ? 'deploy.failed.check' : 'deploy.failed.apply', { what: base.title }))
    const missing = isNotFound(error) ? /namespaces? "([^"]+)" not found/.exec(refused?.why ?? '')?.[1] : undefined
    const failure =
      refused && missing
        ? { ...refused, why: t('deploy.namespaceMissing', { name: missing }), next: t('deploy.namespaceNext') }
        : refused && refusalInWords(refused, object.kind ?? '')
    return {
      ...base,
      before,
      after: null,
      effect: null,
      failure,
      contested: reasonOf(error) === 'Conflict',
      ...(missing ? { missingNamespace: missing } : {}),
    }
  }
}

async function present(request: (call: ApiCall) => Promise<ApiAnswer<KubeObject>>, ref: ObjectRef): Promise<KubeObject | null> {
  try {
    return (await request({ method: 'GET', path: pathOf(ref.resource, ref.namespace, ref.name) })).body
  } catch (error) {
    if (isNotFound(error)) return null
    throw error
  }
}

function effectOf(before: KubeObject | null, after: KubeObject): Effect {
  if (!before) return 'made'
  return contentOf(before) === contentOf(after) ? 'same' : 'changed'
}

/** What a person means by the object's content: not its versions, times, owners of fields, or status. */
function contentOf(object: KubeObject): string {
  const { metadata, ...rest } = object as KubeObject & { status?: unknown }
  const { labels, annotations } = metadata
  return JSON.stringify({ ...rest, status: undefined, labels, annotations }, sortedKeys)
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** The places in the text that outcomes complain of. */
export function problemsOf(manifest: Manifest, outcomes: readonly Outcome[]): Problem[] {
  return outcomes.flatMap(({ failure, index }) => (failure ? refusedPlaces(manifest, index, failure) : []))
}
