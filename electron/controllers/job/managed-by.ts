import type { Job } from '../../api/batch/v1/types.gen.ts'

const THIS = 'kubernetes.io/job-controller'

/** Another controller looks after the job (KEP-4368). */
export function isManagedElsewhere({ spec }: Job): boolean {
  return spec.managedBy !== undefined && spec.managedBy !== THIS
}
