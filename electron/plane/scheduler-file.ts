/** The scheduler's configuration, if the state folder has one: a KubeSchedulerConfiguration in `scheduler.yaml`, read at each start. */
import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { FlotillaError, messageOf, systemCode } from '../base/errors.ts'
import { schedulerConfiguration, type SchedulerConfiguration } from '../scheduler/config/configuration.ts'

/** Null: there is none, and everything is as kube-scheduler has it by default. Throws FlotillaError `INVALID_INPUT`. */
export async function readSchedulerFile(file: string): Promise<SchedulerConfiguration | null> {
  try {
    return schedulerConfiguration(parse(await readFile(file, 'utf8')))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null
    const what = `The scheduler cannot be set up as ${file} says.`
    if (error instanceof FlotillaError) throw new FlotillaError(error.code, { what, why: error.why, next: error.next, cause: error })
    throw new FlotillaError('INVALID_INPUT', { what, why: messageOf(error), next: 'Correct the file, or take it away.', cause: error })
  }
}
