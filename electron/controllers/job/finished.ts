import type { Job, JobCondition } from '../../api/batch/v1/types.gen.ts'

type Ending = 'Complete' | 'Failed'

function endOf({ status }: Job): JobCondition | undefined {
  return status.conditions?.find(({ type, status: value }) => (type === 'Complete' || type === 'Failed') && value === 'True')
}

/** How the job ended; null if it has not. */
export function endingOf(job: Job): Ending | null {
  return (endOf(job)?.type as Ending | undefined) ?? null
}

export function isFinished(job: Job): boolean {
  return endOf(job) !== undefined
}

/** When it ended, in milliseconds since the epoch; null if it has not. */
export function endedAt(job: Job): number | null {
  const time = Date.parse(endOf(job)?.lastTransitionTime ?? '')
  return Number.isNaN(time) ? null : time
}
