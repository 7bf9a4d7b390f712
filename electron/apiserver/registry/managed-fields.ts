import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { Call, Registry, WriteParameters } from './registry.ts'

/** Writes down in `object` who manages which fields, after a create, update or patch that is not an apply. `live` is null for a create. */
export function track(
  _registry: Registry,
  _call: Call,
  _object: KubeObject,
  _live: KubeObject | null,
  _parameters: WriteParameters,
): void {}

/** A change of nothing but the times in managedFields is no change. */
export function keepTimestamps(_object: KubeObject, _old: KubeObject): void {}
