/** A kind's rules as the API server applies them to a manifest, one step after the other, with real decoding. */
import { apiVersionOf, type Kind, type SubresourceStrategy } from '../kind.ts'
import type { KubeObject } from '../meta/v1/object.ts'
import { modelFacts } from '../schema/facts.ts'
import { Codecs } from '../../machinery/decode/codec.ts'
import { createTypes } from '../../machinery/schema/build.ts'
import { shown, type Loose } from './objects.ts'

/** An hour after everything was created. */
export const NOW = Date.parse('2026-01-01T01:00:00Z')
const CREATED = '2026-01-01T00:00:00Z'

const types = createTypes(modelFacts)
const codecs = new Codecs()

export interface Outcome<T> {
  readonly object: T
  readonly errors: string[]
}

/** As it is after decoding and defaults. `manifest` needs neither type nor name; throws for fields that the kind does not have. */
export function decoded<T extends KubeObject>(kind: Kind<T>, manifest: Loose = {}): T {
  const metadata = { name: 'one', ...(kind.namespaced ? { namespace: 'default' } : {}), ...(manifest['metadata'] as Loose | undefined) }
  const whole = { apiVersion: apiVersionOf(kind), kind: kind.kind, ...manifest, metadata }
  const { object, strict } = codecs.for<T>(types.struct(kind.model)).decode(whole)
  if (strict.length) throw new Error(strict.join(', '))
  kind.strategy.defaults?.(object)
  return object
}

/** A new object, and what its own rules find wrong with it. */
export function created<T extends KubeObject>(kind: Kind<T>, manifest: Loose = {}): Outcome<T> {
  const object = decoded(kind, manifest)
  Object.assign(object.metadata, { uid: 'u-1', creationTimestamp: CREATED })
  kind.strategy.prepareForCreate?.(object)
  return { object, errors: shown(kind.strategy.validate?.(object) ?? []) }
}

/** A stored object, with the status that the manifest says. */
export function stored<T extends KubeObject>(kind: Kind<T>, manifest: Loose = {}): T {
  const { object } = created(kind, manifest)
  const { status } = decoded(kind, manifest) as { status?: unknown }
  if (manifest['status']) Object.assign(object, { status })
  object.metadata.resourceVersion = '1'
  return object
}

export function updated<T extends KubeObject>(kind: Kind<T>, old: T, change: (object: T) => void): Outcome<T> {
  const object = changed(kind, old, change)
  kind.strategy.prepareForUpdate?.(object, old)
  const { strategy } = kind
  return { object, errors: shown([...(strategy.validate?.(object) ?? []), ...(strategy.validateUpdate?.(object, old) ?? [])]) }
}

export function statusUpdated<T extends KubeObject>(kind: Kind<T>, old: T, change: (object: T) => void): Outcome<T> {
  const object = changed(kind, old, change)
  kind.strategy.prepareForStatusUpdate?.(object, old)
  return { object, errors: shown(kind.strategy.validateStatusUpdate?.(object, old) ?? []) }
}

/** Through a subresource that has rules of its own. */
export function subresourceUpdated<T extends KubeObject>(kind: Kind<T>, name: string, old: T, change: (object: T) => void): Outcome<T> {
  const strategy: SubresourceStrategy | undefined = kind.subresources[name]?.strategy
  if (!strategy) throw new Error(`${kind.kind} has no rules for ${name}`)
  const object = changed(kind, old, change)
  strategy.prepareForUpdate(object, old)
  return { object, errors: shown(strategy.validateUpdate(object, old)) }
}

function changed<T extends KubeObject>(kind: Kind<T>, old: T, change: (object: T) => void): T {
  const object = structuredClone(old)
  change(object)
  kind.strategy.defaults?.(object)
  return object
}

/** What a table shows, by the names of the columns. */
export function row<T extends KubeObject>(kind: Kind<T>, object: T): Record<string, unknown> {
  return Object.fromEntries(kind.columns.map((column) => [column.name, column.value(object, NOW)]))
}
