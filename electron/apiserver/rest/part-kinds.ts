import { defineKind, type AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'

/** The kinds that subresources take where it is not their parent's: Scale, Eviction, TokenRequest. Each made once. */
export class PartKinds {
  readonly #known = new Map<string, AnyKind>()

  of(parent: AnyKind, subresource: string): AnyKind {
    const part = parent.subresources[subresource]
    if (!part?.kind || (part.kind === parent.kind && part.version === undefined)) return parent
    const { kind, group = parent.group, version = parent.version } = part
    const key = `${group}/${version}/${kind}`
    let made = this.#known.get(key)
    if (!made) {
      // Models are called by the first word of their group.
      const model = `io.k8s.api.${group === '' ? 'core' : group.split('.')[0]}.${version}.${kind}`
      made = defineKind<KubeObject>({
        group,
        version,
        kind,
        resource: `${kind.toLowerCase()}s`,
        namespaced: parent.namespaced,
        model,
        verbs: [],
      })
      this.#known.set(key, made)
    }
    return made
  }
}
