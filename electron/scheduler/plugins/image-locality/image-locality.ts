import { stateKey } from '../../framework/cycle-state.ts'
import { definePlugin } from '../../framework/descriptor.ts'
import { MAX_SCORE } from '../../framework/framework.ts'
import type { AnyPlugin } from '../../framework/plugin.ts'
import { SKIP } from '../../framework/status.ts'
import type { Pod } from '../../../api/core/v1/types.gen.ts'
import type { ImageState } from '../../snapshot/images.ts'

const name = 'ImageLocality'
const MB = 1024 * 1024
/** Less than this on a node is not worth looking at. */
const LEAST = 23 * MB
/** For each image of the pod, more than this counts no more. */
const MOST = 1000 * MB

interface Wanted {
  readonly states: readonly ImageState[]
  /** How many images the pod has. */
  readonly count: number
  readonly nodes: number
}

const wanted = stateKey<Wanted>(name)

/** Likes nodes that have the pod's images already; less so, the fewer nodes have them, so that not all pods come to one. */
export const imageLocality = definePlugin({
  name,
  defaults: {},
  create: (): AnyPlugin => ({
    name,
    preScore({ state, snapshot }, { pod }) {
      const names = imagesOf(pod)
      const states = names.flatMap((image) => snapshot.images.get(normalizedImage(image)) ?? [])
      if (states.length === 0) return SKIP
      state.write(wanted, { states, count: names.length, nodes: snapshot.nodes.length })
      return null
    },
    score({ state }, _pod, node) {
      const { states, count, nodes } = state.read(wanted)
      let sum = 0
      for (const image of states) if (image.nodes.has(node.name)) sum += Math.trunc(image.size * (image.nodes.size / nodes))
      const most = MOST * count
      return Math.trunc((MAX_SCORE * (Math.min(Math.max(sum, LEAST), most) - LEAST)) / (most - LEAST))
    },
  }),
})

function imagesOf({ spec }: Pod): string[] {
  const { initContainers = [], containers, volumes = [] } = spec
  const ofContainers = [...initContainers, ...containers].map(({ image = '' }) => image)
  return [...ofContainers, ...volumes.flatMap(({ image }) => (image ? [image.reference ?? ''] : []))]
}

/** As nodes report it: with the tag that is meant where none is written. */
export function normalizedImage(image: string): string {
  return image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image
}
