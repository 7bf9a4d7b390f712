/** Finding pods by who controls them without looking at each pod of the cluster. */
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { Informer } from '../../client/informer.ts'
import { controllerOf } from '../../machinery/object.ts'

const CONTROLLER = 'controller'
const NODE = 'node'

/** Orphans stand under their namespace, which no uid can look like. */
function controllerValues(object: KubeObject): readonly string[] {
  return [controllerOf(object)?.uid ?? `/${object.metadata.namespace ?? ''}`]
}

/** Must be called before the informer starts. */
export function indexByController<T extends KubeObject>(informer: Informer<T>): void {
  informer.addIndex(CONTROLLER, controllerValues)
}

/** By the uid of the controlling owner. */
export function controlledBy<T extends KubeObject>(informer: Informer<T>, uid: string): readonly T[] {
  return informer.byIndex(CONTROLLER, uid)
}

/** What nobody controls, in one namespace. */
export function orphansIn<T extends KubeObject>(informer: Informer<T>, namespace: string | undefined): readonly T[] {
  return informer.byIndex(CONTROLLER, `/${namespace ?? ''}`)
}

/** What the owner controls or could adopt. */
export function candidatesFor<T extends KubeObject>(informer: Informer<T>, owner: KubeObject): readonly T[] {
  return [...controlledBy(informer, owner.metadata.uid), ...orphansIn(informer, owner.metadata.namespace)]
}

function nodeValues({ spec }: Pod): readonly string[] {
  return [spec.nodeName ?? '']
}

/** Must be called before the informer starts. */
export function indexByNode(pods: Informer<Pod>): void {
  pods.addIndex(NODE, nodeValues)
}

/** The pods of a node; with "", those that have none. */
export function podsOn(pods: Informer<Pod>, node: string): readonly Pod[] {
  return pods.byIndex(NODE, node)
}
