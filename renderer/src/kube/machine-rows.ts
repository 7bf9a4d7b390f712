/** Machines and nodes as a person sees them: one row for both, whichever of the two is there. */
import type { Node } from '../../../electron/api/core/v1/types.gen.ts'
import type { Machine } from '../../../electron/api/infra/v1alpha1/types.ts'
import { nodeState } from '../../../electron/contracts/lists/nodes.ts'
import { amount } from './quantity.ts'
import { TONE_RANK, type Tone } from './tone.ts'

export interface MachineRow {
  readonly name: string
  readonly machine?: Machine
  readonly node?: Node
  readonly word: string
  readonly tone: Tone
  readonly cordoned: boolean
  readonly rank: number
  /** What the node offers to pods: cores, bytes, count; null while it is no node. */
  readonly allocatable: { readonly cpu: number; readonly memory: number; readonly pods: number } | null
}

/** Joined by name: a machine's node has its name. */
export function machineRows(machines: readonly Machine[], nodes: readonly Node[]): MachineRow[] {
  const byName = new Map<string, { machine?: Machine; node?: Node }>()
  for (const machine of machines) byName.set(machine.metadata.name, { machine })
  for (const node of nodes) byName.set(node.metadata.name, { ...byName.get(node.metadata.name), node })
  const rows = [...byName].map(([name, { machine, node }]) => machineRow(name, machine, node))
  return rows.toSorted((a, b) => a.name.localeCompare(b.name))
}

export function machineRow(name: string, machine: Machine | undefined, node: Node | undefined): MachineRow {
  const status = stateOf(machine, node)
  return {
    name,
    ...(machine ? { machine } : {}),
    ...(node ? { node } : {}),
    ...status,
    cordoned: node?.spec.unschedulable === true,
    rank: TONE_RANK[status.tone],
    allocatable: node?.status.allocatable
      ? {
          cpu: amount(node.status.allocatable['cpu']),
          memory: amount(node.status.allocatable['memory']),
          pods: amount(node.status.allocatable['pods']),
        }
      : null,
  }
}

function stateOf(machine: Machine | undefined, node: Node | undefined): { word: string; tone: Tone } {
  const phase = machine?.status?.phase
  if (phase === 'Failed') return { word: 'Failed', tone: 'err' }
  if (phase === 'Removing') return { word: 'Removing', tone: 'busy' }
  if (phase === 'Stopped' || phase === 'Suspended') return { word: phase, tone: 'idle' }
  if (!node) {
    if (phase === 'Provisioning' || phase === 'Pending') return { word: phase, tone: 'busy' }
    return { word: phase ?? 'Pending', tone: phase === 'Unreachable' ? 'warn' : 'busy' }
  }
  const state = nodeState(node)
  const ready = node.status.conditions?.find((c) => c.type === 'Ready')?.status
  if (phase === 'Provisioning' && ready !== 'True') return { word: 'Provisioning', tone: 'busy' }
  if (phase !== 'Unreachable') return state
  // What the cluster sees of a machine that cannot be reached is old.
  if (ready === undefined || ready === 'Unknown') return { ...state, word: 'Unreachable' }
  return ready === 'True' ? { word: 'Unreachable', tone: 'warn' } : state
}

/** Whether it runs on the computer that the control plane runs on. */
export const isLocal = (row: { machine?: Machine }): boolean => ['sandbox', 'qemu'].includes(row.machine?.spec.provider ?? '')

export function addressOf(row: { machine?: Machine; node?: Node }): string {
  const internal = row.node?.status.addresses?.find((a) => a.type === 'InternalIP')?.address
  return internal ?? row.machine?.status?.address ?? row.machine?.spec.ssh?.host ?? ''
}
