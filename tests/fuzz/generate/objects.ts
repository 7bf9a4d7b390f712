import { apiVersionOf, groupResource, type AnyKind } from '../../../electron/api/kind.ts'
import { KINDS } from '../../../electron/api/kinds.gen.ts'
import type { Dice } from './dice.ts'
import { SAMPLES } from './samples.ts'
import { modelValue, mutate, type ValueOptions } from './values.ts'

export type Loose = Record<string, unknown>

/** Namespaces that every run has. */
export const NAMESPACES = ['fz-0', 'fz-1', 'fz-2'] as const
/** What all names of objects of the run begin with, so that they can be told from the cluster's own. */
export const PREFIX = 'fz-'

/** The ordinary ones more often: most code is behind them. */
export function anyKind(dice: Dice): AnyKind {
  if (!dice.chance(0.4)) return dice.one(KINDS)
  const common = ['configmaps', 'secrets', 'pods', 'services', 'deployments.apps', 'jobs.batch', 'roles.rbac.authorization.k8s.io']
  return kindOf(dice.one(common))
}

export function kindOf(resource: string): AnyKind {
  const found = KINDS.find((kind) => groupResource(kind) === resource)
  if (!found) throw new Error(`there is no kind ${resource}`)
  return found
}

export interface MadeObject {
  readonly object: Loose
  readonly name: string
  readonly namespace: string
}

export interface ObjectOptions extends ValueOptions {
  readonly name: string
  readonly namespace: string
}

export function anyObject(dice: Dice, kind: AnyKind, options: ObjectOptions): MadeObject {
  const { name, namespace } = options
  const sample = SAMPLES[groupResource(kind)]
  const object: Loose = sample && dice.chance(0.85) ? structuredClone(sample) : ((modelValue(dice, kind.model, options) ?? {}) as Loose)
  if (typeof object !== 'object') return { object: {}, name, namespace }
  if (sample) for (let i = dice.int(4); i > 0; i--) mutate(dice, object, kind.model, options)
  if (dice.chance(0.98)) Object.assign(object, { apiVersion: apiVersionOf(kind), kind: kind.kind })
  const metadata = typeof object['metadata'] === 'object' ? (object['metadata'] as Loose | null) : null
  const place = kind.namespaced ? { namespace } : {}
  object['metadata'] = { ...metadata, ...(dice.chance(0.05) ? { generateName: `${name}-` } : { name }), ...place }
  return { object, name, namespace }
}
