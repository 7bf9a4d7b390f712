import { stateKey } from '../../framework/cycle-state.ts'
import { definePlugin } from '../../framework/descriptor.ts'
import { MAX_SCORE } from '../../framework/framework.ts'
import type { AnyPlugin } from '../../framework/plugin.ts'
import { SKIP } from '../../framework/status.ts'
import { amountIn, isScalarResource } from '../../snapshot/amounts.ts'

export interface NodeResourcesBalancedAllocationArgs {
  readonly resources: readonly { readonly name: string }[]
}

const name = 'NodeResourcesBalancedAllocation'
const wanted = stateKey<readonly number[]>(name)

/** Likes nodes that the pod would bring nearer to an even use of their resources. */
export const nodeResourcesBalancedAllocation = definePlugin<NodeResourcesBalancedAllocationArgs>({
  name,
  defaults: { resources: [{ name: 'cpu' }, { name: 'memory' }] },
  create({ resources }): AnyPlugin {
    return {
      name,
      ofNodeAlone: true,
      preScore({ state }, { requests }) {
        const amounts = resources.map((resource) => amountIn(requests, resource.name))
        if (amounts.every((amount) => amount === 0)) return SKIP
        state.write(wanted, amounts)
        return null
      },
      score({ state }, _pod, node) {
        const amounts = state.read(wanted)
        const before: number[] = []
        const after: number[] = []
        for (let i = 0; i < resources.length; i++) {
          const resource = (resources[i] as { name: string }).name
          const own = amounts[i] as number
          if (own === 0 && isScalarResource(resource)) continue
          const there = amountIn(node.allocatable, resource)
          if (there === 0) continue
          const used = amountIn(node.requested, resource)
          before.push(Math.min(used / there, 1))
          after.push(Math.min((used + own) / there, 1))
        }
        const half = MAX_SCORE / 2
        return half + Math.trunc((half + evenness(after) - evenness(before)) / 2)
      },
    }
  },
})

/** 100 where all parts are used alike, less by their standard deviation. */
function evenness(fractions: readonly number[]): number {
  const [first = 0, second = 0] = fractions
  let deviation = 0
  if (fractions.length === 2) deviation = Math.abs((first - second) / 2)
  else if (fractions.length > 2) {
    let sum = 0
    for (const fraction of fractions) sum += fraction
    const mean = sum / fractions.length
    let squares = 0
    for (const fraction of fractions) squares += (fraction - mean) ** 2
    deviation = Math.sqrt(squares / fractions.length)
  }
  return Math.trunc((1 - deviation) * MAX_SCORE)
}
