/** Whose logs a page shows: from what is chosen to containers. */
import type { Pod } from '../../../../electron/api/core/v1/types.gen.ts'
import type { LabelSelector } from '../../../../electron/api/meta/v1/types.gen.ts'
import { nameParts } from '../../kube/owners.ts'
import type { LogTarget } from '../../logs/session.ts'
import { containersOf, containerStatus, logTarget } from '../../logs/targets.ts'

/** More logs than this at once are no help to who reads, and a load on machines. */
export const MOST = 50

/** As the API's query parameter has it; "" selects everything. */
export function selectorText({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const equal = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`)
  const more = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key
    if (operator === 'DoesNotExist') return `!${key}`
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`
  })
  return [...equal, ...more].join(',')
}

export interface Narrowing {
  /** "": all. */
  readonly pod: string
  readonly container: string
  readonly previous: boolean
}

/** What a pod is called among others: without the hash that all of its workload share. */
export function shortName(pod: Pod): string {
  const { stem, suffix } = nameParts(pod)
  return stem.endsWith('-') && suffix.startsWith('-') ? stem + suffix.slice(1) : stem + suffix
}

/** Those that have begun, in the order of names; `total` says how many there are where only MOST of them are taken. */
export function targetsOf(pods: readonly Pod[], { pod, container, previous }: Narrowing): { targets: LogTarget[]; total: number } {
  const wanted = pods
    .filter(({ metadata }) => !pod || metadata.name === pod)
    .toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name))
    .flatMap((one) =>
      containersOf(one)
        .filter(({ name }) => !container || name === container)
        .filter(({ name }) => {
          const status = containerStatus(one, name)
          if (previous) return (status?.restartCount ?? 0) > 0
          return (
            status?.state?.running !== undefined || status?.state?.terminated !== undefined || status?.lastState?.terminated !== undefined
          )
        })
        .map(({ name }) => ({ pod: one, name })),
    )
  const severalNames = new Set(wanted.map(({ name }) => name)).size > 1
  const targets = wanted
    .slice(0, MOST)
    .map(({ pod: one, name }) => logTarget(one, name, previous, severalNames ? `${shortName(one)}:${name}` : shortName(one)))
  return { targets, total: wanted.length }
}
