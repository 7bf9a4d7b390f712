/** The objects of custom resources, which come and go with their definitions. */
import { customResourceDefinition } from '../../api/apiextensions/v1/custom-resource-definition.ts'
import type { CustomResourceDefinition } from '../../api/apiextensions/v1/types.gen.ts'
import { defineKind, type AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { Informers } from '../../client/informer.ts'
import { isConditionTrue } from '../../machinery/conditions.ts'
import { watch, type Change, type Watch } from '../runtime/controller.ts'

type Keys = (kind: AnyKind, change: Change<KubeObject>) => Iterable<string>

/** Hands on the changes of all custom resources. Those of a definition that goes are deleted with it. */
export function watchCustomResources(informers: Informers, keys: Keys): Watch {
  return {
    begin(add) {
      const followed = new Map<string, { kind: AnyKind; watching: Disposable }>()
      const leave = (name: string) => {
        const { kind, watching } = followed.get(name) ?? {}
        if (!kind || !watching) return
        followed.delete(name)
        watching[Symbol.dispose]()
        for (const object of informers.for(kind).list()) for (const key of keys(kind, { type: 'delete', object })) add(key)
        informers.release(kind)
      }
      const follow = (definition: CustomResourceDefinition) => {
        const { name } = definition.metadata
        const kind = kindOf(definition)
        if (kind && followed.get(name)?.kind.version === kind.version) return
        leave(name)
        if (!kind) return
        const watching = watch(informers.for(kind), (change) => keys(kind, change)).begin(add)
        followed.set(name, { kind, watching })
      }
      const definitions = informers.for(customResourceDefinition).on({
        add: follow,
        update: follow,
        delete: ({ metadata }) => leave(metadata.name),
      })
      return {
        [Symbol.dispose]() {
          definitions[Symbol.dispose]()
          for (const { watching } of followed.values()) watching[Symbol.dispose]()
        },
      }
    },
  }
}

/** One version that is served, best the one that is stored; null while there is none. */
function kindOf({ spec, status }: CustomResourceDefinition): AnyKind | null {
  if (!isConditionTrue(status.conditions, 'Established')) return null
  const served = spec.versions.filter((version) => version.served)
  const version = served.find(({ storage }) => storage) ?? served[0]
  if (!version) return null
  const { plural, kind } = status.acceptedNames
  return defineKind({
    group: spec.group,
    version: version.name,
    kind,
    resource: plural,
    namespaced: spec.scope === 'Namespaced',
    model: '',
  })
}
