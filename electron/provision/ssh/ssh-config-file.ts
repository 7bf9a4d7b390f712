/** Reads ssh_config files with what they include. Source: ssh_config(5). */
import { glob, readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { systemCode } from '../../base/errors.ts'

/** One line: the option in lower case and its arguments; of an Include the files that it stands for. */
export interface ConfigLine {
  readonly option: string
  readonly args: readonly string[]
  readonly files?: readonly (readonly ConfigLine[])[]
}

const MAX_INCLUDE_DEPTH = 16

/** A missing or unreadable file says nothing. Patterns of Include are relative to the folder of the first file. */
export async function readConfig(path: string, home: string): Promise<ConfigLine[]> {
  return await readLines(path, { home, dir: dirname(path) }, 0)
}

async function readLines(path: string, places: { home: string; dir: string }, depth: number): Promise<ConfigLine[]> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ENOTDIR', 'EISDIR'].includes(systemCode(error) ?? '')) return []
    throw error
  }
  const lines: ConfigLine[] = []
  for (const line of parseLines(text)) {
    if (line.option !== 'include') {
      lines.push(line)
      continue
    }
    const files: ConfigLine[][] = []
    for (const pattern of depth < MAX_INCLUDE_DEPTH ? line.args : []) {
      const expanded = expandHome(pattern, places.home)
      const found = await Array.fromAsync(glob(isAbsolute(expanded) ? expanded : join(places.dir, expanded)))
      for (const file of found.sort()) files.push(await readLines(file, places, depth + 1))
    }
    lines.push({ ...line, files })
  }
  return lines
}

/** Options whose value is the rest of the line. */
const WHOLE_LINE = new Set(['proxycommand', 'localcommand', 'remotecommand', 'knownhostscommand'])

export function parseLines(text: string): ConfigLine[] {
  return text.split('\n').flatMap((raw) => {
    const line = raw.trim()
    if (!line || line.startsWith('#')) return []
    const match = /^(\S+?)(?:\s*=\s*|\s+)(.*)$/.exec(line)
    if (!match) return []
    const [, name = '', rest = ''] = match
    const option = name.toLowerCase()
    if (WHOLE_LINE.has(option)) return [{ option, args: [rest] }]
    const args = [...rest.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
    const comment = args.findIndex((arg) => arg.startsWith('#'))
    return [{ option, args: comment === -1 ? args : args.slice(0, comment) }]
  })
}

export function expandHome(path: string, home: string): string {
  return path === '~' || path.startsWith('~/') ? join(home, path.slice(1)) : path
}
