/** Which subresources there are, and how each reads and writes its parent. */
import type { SubresourceStrategy } from '../../api/kind.ts'
import { customScale } from '../customresources/scale.ts'
import { genericFailure } from '../http/response.ts'
import { resourceName } from '../registry/keys.ts'
import type { Call, Registry } from '../registry/registry.ts'
import type { Subresource } from '../registry/subresource.ts'
import type { Resources } from '../resources.ts'
import { binding } from './binding.ts'
import { eviction } from './eviction.ts'
import { scale } from './scale.ts'

/** Looks up a call's subresource; null for the object itself. It throws StatusError 404 for what there is not. */
export function subresources(registry: Registry, resources: Resources): (call: Call) => Subresource | null {
  const special: Readonly<Record<string, Subresource>> = {
    'pods/binding': binding(registry),
    'pods/eviction': eviction(registry, resources),
  }
  return (call) => {
    const { subresource: name, resource } = call
    if (name === '') return null
    const described = resource.kind.subresources[name]
    if (!described) throw genericFailure(404)
    if (name === 'status') return { kind: resource.kind, part: 'status' }
    if (name === 'scale') return described.paths ? customScale(described.paths) : scale
    const strategy: SubresourceStrategy | undefined = described.strategy
    if (strategy) return { kind: resource.kind, part: strategy }
    const known = special[`${resourceName(resource.kind)}/${name}`]
    if (!known) throw genericFailure(404)
    return known
  }
}
