/** Lists of conditions as most kinds have them in their status. Lists are not changed; each function gives a new one. */
import type { Time } from '../api/meta/v1/object.ts'

/** What conditions of all kinds have in common. */
export interface ConditionLike {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: Time
}

export function findCondition<C extends ConditionLike>(conditions: readonly C[] | undefined, type: C['type']): C | undefined {
  return conditions?.find((condition) => condition.type === type)
}

export function isConditionTrue(conditions: readonly ConditionLike[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'True'
}

/**
 * The list with this condition in the place of the one of its type. The time of transition stays while the status does not change;
 * otherwise it is the condition's own, or `now`. The same list if nothing changes.
 */
export function setCondition<C extends ConditionLike>(
  conditions: readonly C[] | undefined,
  condition: Omit<C, 'lastTransitionTime'> & { readonly lastTransitionTime?: Time },
  now: Time,
): readonly C[] {
  const list = conditions ?? []
  const at = list.findIndex(({ type }) => type === condition.type)
  const old = list[at]
  const lastTransitionTime = old?.status === condition.status ? old.lastTransitionTime : (condition.lastTransitionTime ?? now)
  const next = { ...old, ...condition, lastTransitionTime } as unknown as C
  if (!old) return [...list, next]
  const keys = Object.keys(next) as (keyof C)[]
  return keys.every((key) => next[key] === old[key]) ? list : list.with(at, next)
}

export function removeCondition<C extends ConditionLike>(conditions: readonly C[] | undefined, type: C['type']): readonly C[] {
  return (conditions ?? []).filter((condition) => condition.type !== type)
}
