/** What admission plugins are to know: an AdmissionConfiguration in a file that is named, or in `admission.yaml`. Read at each start. */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import { admissionConfiguration, type AdmissionConfiguration } from '../apiserver/admission/configuration.ts'
import { FlotillaError, messageOf, systemCode } from '../base/errors.ts'

/**
 * `usual` need not be there: then everything is as kube-apiserver has it by default. Files that are named within the file lie relative to
 * it. Throws FlotillaError `INVALID_INPUT`.
 */
export async function readAdmissionFile(named: string | undefined, usual: string): Promise<AdmissionConfiguration> {
  const file = named ?? usual
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (named === undefined && systemCode(error) === 'ENOENT') return {}
    throw unusable(file, messageOf(error), 'Name a file that can be read.', error)
  }
  const { configuration, errors } = await understood(file, text)
  if (errors.length === 0) return configuration
  throw unusable(file, errors.map(({ field, message }) => `${field}: ${message}`).join('; '), 'Correct the file.')
}

async function understood(file: string, text: string): ReturnType<typeof admissionConfiguration> {
  try {
    return await admissionConfiguration(parse(text), async (path) => parse(await readFile(resolve(dirname(file), path), 'utf8')) as unknown)
  } catch (error) {
    throw unusable(file, messageOf(error), 'Correct the file.', error)
  }
}

function unusable(file: string, why: string, next: string, cause?: unknown): FlotillaError {
  return new FlotillaError('INVALID_INPUT', {
    what: `Admission cannot be set up as ${file} says.`,
    why: `${why}.`,
    next,
    ...(cause === undefined ? {} : { cause }),
  })
}
