import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
import { format, resolveConfig } from 'prettier'

export type Emit = (file: string, text: string) => Promise<void>

/** Formats and writes a generated file if its text changed. */
export async function emit(file: string, text: string): Promise<void> {
  const wanted = await pretty(file, text)
  if ((await readFile(file, 'utf8').catch(() => null)) === wanted) return
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, wanted)
}

/** An `Emit` that writes nothing and collects the files that would change. */
export function comparing(stale: string[]): Emit {
  return async (file, text) => {
    const wanted = await pretty(file, text)
    if ((await readFile(file, 'utf8').catch(() => null)) !== wanted) stale.push(relative(process.cwd(), file))
  }
}

async function pretty(file: string, text: string): Promise<string> {
  return format(text, { ...(await resolveConfig(file)), filepath: file })
}
