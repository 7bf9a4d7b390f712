/** Manifests that are opened from outside: read for the person to look at, never applied by themselves. */
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import type { OpenRequest } from '../contracts/shell.ts'
import type { TextKey } from './texts/en.ts'

/** MiB; more text than this is no manifest. */
export const LARGEST = 4

/** Why a file is not shown. */
export interface Refusal {
  readonly type: 'refused'
  readonly key: Extract<TextKey, `file.${string}`>
  readonly name: string
}

export async function readManifest(path: string): Promise<OpenRequest | Refusal> {
  const name = basename(path)
  try {
    await using file = await open(path, 'r')
    const found = await file.stat()
    if (!found.isFile()) return { type: 'refused', key: 'file.unreadable', name }
    if (found.size > LARGEST * 2 ** 20) return { type: 'refused', key: 'file.large', name }
    return { type: 'manifest', name, text: await file.readFile('utf8') }
  } catch {
    return { type: 'refused', key: 'file.unreadable', name }
  }
}
