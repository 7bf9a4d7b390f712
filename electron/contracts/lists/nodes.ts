/** How a node does, in a word and a tone. */
import type { Node } from '../../api/core/v1/types.gen.ts'
import type { Tone } from './tone.ts'

const PRESSURES = ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'NetworkUnavailable']

export interface NodeState {
  readonly word: string
  readonly tone: Tone
}

export function nodeState(node: Node): NodeState {
  const conditions = node.status.conditions ?? []
  const ready = conditions.find((c) => c.type === 'Ready')
  if (!ready) return { word: 'Joining', tone: 'busy' }
  if (ready.status === 'Unknown') return { word: 'Unknown', tone: 'err' }
  if (ready.status !== 'True') return { word: 'NotReady', tone: 'err' }
  const pressure = conditions.find((c) => PRESSURES.includes(c.type) && c.status === 'True')
  if (pressure) return { word: pressure.type, tone: 'warn' }
  if (node.spec.unschedulable) return { word: 'Cordoned', tone: 'idle' }
  return { word: 'Ready', tone: 'ok' }
}
