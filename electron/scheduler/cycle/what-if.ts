import type { Attempt } from '../framework/attempt.ts'

/** To think of the cluster as it might be: without the filters that speak of it only as it is. */
export function whatIf(attempt: Attempt): Attempt {
  if (!attempt.filters.some(({ asIs }) => asIs)) return attempt
  const fork = attempt.fork()
  fork.filters = attempt.filters.filter(({ asIs }) => !asIs)
  return fork
}
