/** The verbs on objects, after authorization and before encoding: what HTTP requests and in-process calls have in common. */
import type { AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { methodNotSupported, type Status } from '../../machinery/status.ts'
import type { CacheWatch } from '../cache/cache-watch.ts'
import { thaw } from '../../machinery/freeze.ts'
import type { Entry } from '../cache/entry.ts'
import type { ListResult } from '../cache/list.ts'
import type { Deletion } from '../registry/before-delete.ts'
import { create } from '../registry/create.ts'
import { remove, removeAll } from '../registry/delete.ts'
import { returnsDeleted } from '../registry/kind-rules.ts'
import { patch, type PatchRequest } from '../registry/patch.ts'
import { get, list, type ListQuery, watch } from '../registry/read.ts'
import type { Call, Registry, WriteParameters } from '../registry/registry.ts'
import { merged, type Subresource } from '../registry/subresource.ts'
import { update, type Updated } from '../registry/update.ts'
import type { Body } from './body.ts'

/** An object of the cache, a part of one as an object of its own kind, or what was made for the answer. */
export type Answer =
  | { readonly type: 'entry'; readonly entry: Entry; readonly code: number }
  | { readonly type: 'part'; readonly kind: AnyKind; readonly object: KubeObject; readonly code: number }
  | { readonly type: 'object'; readonly object: KubeObject | Omit<Status, 'code'>; readonly code: number }

export interface VerbsOptions {
  readonly registry: Registry
  /** Null for the object itself. Throws StatusError 404 for what there is not. */
  subresource(call: Call): Subresource | null
  /** Throws StatusError 403 if the user may not create the object that an update or apply finds missing. */
  mayCreate(call: Call): Promise<void>
}

export class Verbs {
  readonly #registry: Registry
  readonly #options: VerbsOptions

  constructor(options: VerbsOptions) {
    this.#registry = options.registry
    this.#options = options
  }

  async get(call: Call, resourceVersion: string): Promise<Answer> {
    const part = this.#options.subresource(call)
    const entry = await get(this.#registry, call, resourceVersion)
    return answer(part, entry, 200)
  }

  list(call: Call, query: ListQuery): Promise<ListResult> {
    return list(this.#registry, call, query)
  }

  watch(call: Call, query: ListQuery): Promise<CacheWatch> {
    return watch(this.#registry, call, query)
  }

  async create(call: Call, body: Body, parameters: WriteParameters): Promise<Answer> {
    const part = this.#options.subresource(call)
    if (part && !part.create) throw methodNotSupported(call.resource.kind, 'create')
    const object = this.#decode(call, body, part, parameters)
    if (part?.create) return { type: 'object', object: await part.create(call, object, parameters), code: 201 }
    return { type: 'entry', entry: await create(this.#registry, call, object, parameters), code: 201 }
  }

  async update(call: Call, body: Body, parameters: WriteParameters): Promise<Answer> {
    const part = this.#options.subresource(call)
    const sent = this.#decode(call, body, part, parameters)
    const change = {
      part: part?.part ?? 'main',
      uidIsPrecondition: true,
      shownAs: part,
      make: (old: KubeObject | null) => merged(part, old, thaw(sent)),
      mayCreate: () => this.#options.mayCreate(call),
    }
    return updatedAnswer(part, await update(this.#registry, call, change, parameters))
  }

  async patch(call: Call, request: PatchRequest, parameters: WriteParameters): Promise<Answer> {
    const part = this.#options.subresource(call)
    call.received?.(request.body)
    return updatedAnswer(part, await patch(this.#registry, call, request, part, parameters, () => this.#options.mayCreate(call)))
  }

  async delete(call: Call, deletion: Deletion): Promise<Answer> {
    received(call, deletion)
    const { entry, state } = await remove(this.#registry, call, deletion)
    const code = state !== 'gone' && deletion.orphanDependents === false ? 202 : 200
    if (state === 'marked' || returnsDeleted(call.resource.kind)) return { type: 'entry', entry, code }
    return { type: 'object', object: deletedStatus(call, entry), code }
  }

  #decode(call: Call, body: Body, part: Subresource | null, parameters: WriteParameters): KubeObject {
    const kind = part?.kind ?? call.resource.kind
    const object = body(this.#registry.types, kind, parameters.fieldValidation, (text) => call.warn(text))
    call.received?.(object)
    return object
  }

  /** What was there when the request came. */
  async deleteCollection(call: Call, query: ListQuery, deletion: Deletion): Promise<ListResult> {
    received(call, deletion)
    const found = await list(this.#registry, call, query)
    await removeAll(this.#registry, call, found.entries, deletion)
    return found
  }
}

function received(call: Call, deletion: Deletion): void {
  call.received?.({ kind: 'DeleteOptions', apiVersion: 'v1', ...deletion } as unknown as KubeObject)
}

function updatedAnswer(part: Subresource | null, { entry, created }: Updated): Answer {
  return answer(part, entry, created ? 201 : 200)
}

function answer(part: Subresource | null, entry: Entry, code: number): Answer {
  if (part?.read) return { type: 'part', kind: part.kind, object: part.read(entry.object), code }
  return { type: 'entry', entry, code }
}

/** Says what was deleted, so that a client can tell it from what waits for its finalizers. */
function deletedStatus(call: Call, entry: Entry): Omit<Status, 'code'> {
  const { group, resource } = call.resource.kind
  const { name, uid } = entry.object.metadata
  const details = { name, ...(group ? { group } : {}), kind: resource, uid }
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details }
}
