/** An informer's objects, and before its first list those that were last seen. */
import { component, componentWith } from '../../base/lifecycle.ts'
import type { Component } from '../../base/lifecycle.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { Informer } from '../../client/informer.ts'
import type { Checkpoints } from './checkpoints.ts'

export interface SavedLister<T extends KubeObject> extends Component {
  list(): readonly T[]
  /** Whether it is known what there is: from the API server, or from disk. */
  readonly known: boolean
}

/** Saves what the informer tells. `start` reads what is on disk and does not wait for the API server. */
export function createSavedLister<T extends KubeObject>(informer: Informer<T>, checkpoints: Checkpoints): SavedLister<T> {
  let saved: readonly T[] = []
  const base = component(async (stack) => {
    saved = await checkpoints.loadAll(informer.kind)
    const save = (object: T) => void checkpoints.save(informer.kind, object)
    stack.use(
      informer.on({
        add: save,
        update: save,
        delete: ({ metadata }) => void checkpoints.remove(informer.kind, metadata.namespace, metadata.name),
      }),
    )
    void informer
      .whenSynced()
      .then(() => forgetOthers(informer, saved, checkpoints))
      .catch(() => undefined)
  })
  return componentWith(base, {
    list: () => (informer.synced ? informer.list() : saved),
    get known() {
      return informer.synced || saved.length > 0
    },
  })
}

/** What was deleted while nobody looked. */
function forgetOthers<T extends KubeObject>(informer: Informer<T>, saved: readonly T[], checkpoints: Checkpoints): void {
  for (const { metadata } of saved) {
    if (!informer.get(metadata.namespace, metadata.name)) void checkpoints.remove(informer.kind, metadata.namespace, metadata.name)
  }
}
