/** The initial RAM disk: a static busybox, a script, and just the modules that reach the root file system. Small, because an emulated processor unpacks it. */
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { cpioArchive, type CpioEntry } from './cpio.ts'

/** The files of the modules and of all that they need, in loading order. `dep`: the text of modules.dep. Modules built into the kernel have no file. */
export function modulesInOrder(dep: string, names: readonly string[]): string[] {
  const needs = new Map(
    dep
      .split('\n')
      .filter(Boolean)
      .map((line): [string, { file: string; needs: string[] }] => {
        const [file = '', rest = ''] = line.split(':')
        return [moduleName(file), { file, needs: rest.trim().split(/\s+/).filter(Boolean) }]
      }),
  )
  const ordered = new Set<string>()
  for (const name of names) {
    const found = needs.get(name)
    if (!found) continue
    // depmod writes what a module needs with the farthest last.
    for (const file of found.needs.toReversed()) ordered.add(file)
    ordered.add(found.file)
  }
  return [...ordered]
}

const moduleName = (file: string) =>
  basename(file)
    .replace(/\.ko(\.\w+)?$/, '')
    .replaceAll('-', '_')

/** Makes it from a system's root folder, which must have one kernel and a static busybox. */
export async function makeInitrd(root: string, init: string, modules: readonly string[]): Promise<Buffer> {
  const base = join(root, 'lib/modules')
  const [kernel = ''] = await readdir(base)
  const files = modulesInOrder(await readFile(join(base, kernel, 'modules.dep'), 'utf8'), modules)
  const entries: CpioEntry[] = [
    ...['bin', 'dev', 'modules', 'root'].map((path): CpioEntry => ({ path, type: 'directory' })),
    { path: 'dev/console', type: 'character', major: 5, minor: 1 },
    { path: 'bin/busybox', type: 'file', mode: 0o755, content: await readFile(join(root, 'bin/busybox')) },
    { path: 'init', type: 'file', mode: 0o755, content: Buffer.from(init) },
  ]
  for (const [index, file] of files.entries()) {
    const path = `modules/${String(index).padStart(2, '0')}-${basename(file)}`
    entries.push({ path, type: 'file', mode: 0o644, content: await readFile(join(base, kernel, file)) })
  }
  return cpioArchive(entries)
}
