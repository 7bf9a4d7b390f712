/** Which taints a node's conditions call for. Source: kubernetes "Taint based Evictions" and "Taint Nodes by Condition". */
import type { Node, Taint } from '../../api/core/v1/types.gen.ts'
import type { Time } from '../../api/meta/v1/object.ts'
import {
  DISK_PRESSURE,
  MEMORY_PRESSURE,
  NETWORK_UNAVAILABLE,
  NOT_READY,
  PID_PRESSURE,
  sameTaint,
  UNREACHABLE,
  UNSCHEDULABLE,
} from '../node/taints.ts'

type Mark = Pick<Taint, 'key' | 'effect'>

/** By condition and its status. */
const BY_CONDITION: Readonly<Record<string, string>> = {
  'Ready=False': NOT_READY,
  'Ready=Unknown': UNREACHABLE,
  'MemoryPressure=True': MEMORY_PRESSURE,
  'DiskPressure=True': DISK_PRESSURE,
  'PIDPressure=True': PID_PRESSURE,
  'NetworkUnavailable=True': NETWORK_UNAVAILABLE,
}
/** Taints of these that nothing calls for are taken away. */
const NO_SCHEDULE = [...Object.values(BY_CONDITION), UNSCHEDULABLE]
const NO_EXECUTE = [NOT_READY, UNREACHABLE]

/** The node's taints with what its conditions call for. `noExecute`: the key of the one that drives pods away, if any does. */
export function taintsFor({ spec, status }: Node, noExecute: string | null, now: Time): Taint[] {
  const keys = (status.conditions ?? []).flatMap((condition) => BY_CONDITION[`${condition.type}=${condition.status}`] ?? [])
  if (spec.unschedulable) keys.push(UNSCHEDULABLE)
  const wanted: Mark[] = keys.map((key) => ({ key, effect: 'NoSchedule' }))
  if (noExecute !== null) wanted.push({ key: noExecute, effect: 'NoExecute' })
  const present = spec.taints ?? []
  const kept = present.filter((taint) => !isOurs(taint) || wanted.some((mark) => sameTaint(mark, taint)))
  const added = wanted.filter((mark) => !present.some((taint) => sameTaint(mark, taint)))
  return [...kept, ...added.map((mark) => ({ ...mark, timeAdded: now }))]
}

export function hasNoExecute({ spec }: Node, key: string): boolean {
  return spec.taints?.some((taint) => sameTaint(taint, { key, effect: 'NoExecute' })) ?? false
}

function isOurs({ key, effect }: Mark): boolean {
  return (effect === 'NoSchedule' && NO_SCHEDULE.includes(key)) || (effect === 'NoExecute' && NO_EXECUTE.includes(key))
}
