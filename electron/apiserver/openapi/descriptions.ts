import { readFile } from 'node:fs/promises'
import { systemCode } from '../../base/errors.ts'
import type { Descriptions } from './models.ts'

export type { Descriptions } from './models.ts'

/** What `kubectl explain` tells of fields, from the file that `scripts/descriptions.ts` writes; none if there is no such file. */
export async function readDescriptions(file: string | undefined): Promise<Descriptions> {
  if (file === undefined) return {}
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Descriptions
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return {}
    throw error
  }
}
