/**
 * `npm run build [-- agent|app|descriptions …]`: makes what is shipped. A part whose sources have not changed since it was made is left as
 * it is.
 */
import { createHash } from 'node:crypto'
import { glob, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheDir, fail, projectNode, ROOT, run, say } from './lib.mjs'

interface Part {
  readonly name: string
  /** What it is made from, relative to the root. */
  readonly sources: readonly string[]
  /** A file that exists once it is made. */
  readonly product: string
  readonly command: readonly [string, ...string[]]
}

const PARTS: readonly Part[] = [
  {
    name: 'agent',
    sources: ['electron/{agent,base,api,machinery,client}/**/*', 'scripts/build-agent.ts', 'package-lock.json'],
    product: 'resources/agent/agent.mjs',
    command: [projectNode(), 'scripts/build-agent.ts'],
  },
  {
    name: 'descriptions',
    sources: ['scripts/descriptions.ts', 'scripts/reference-texts.ts', 'package-lock.json'],
    product: 'resources/descriptions.json',
    command: [projectNode(), 'scripts/descriptions.ts'],
  },
  {
    name: 'app',
    sources: ['electron/**/*', 'renderer/**/*', 'electron.vite.config.ts', 'package-lock.json', 'package.json'],
    product: 'out/renderer/index.html',
    command: ['electron-vite', 'build', '--logLevel', 'warn'],
  },
]

/** Builds the named parts, or all, where they are stale. */
export async function build(names: readonly string[] = []): Promise<void> {
  await mkdir(join(ROOT, 'resources/agent'), { recursive: true })
  for (const part of PARTS) if (names.length === 0 || names.includes(part.name)) await buildPart(part)
}

async function buildPart(part: Part): Promise<void> {
  const stamp = join(cacheDir('built'), part.name)
  const wanted = await fingerprint(part.sources)
  const made = await stat(join(ROOT, part.product)).catch(() => null)
  if (made && (await readFile(stamp, 'utf8').catch(() => '')) === wanted) return
  say(`Building the ${part.name} …`)
  const [command, ...args] = part.command
  const { code, output } = await run(command, args, { quiet: true })
  if (code !== 0) fail({ what: `The ${part.name} could not be built.`, why: output.trim(), next: 'Correct what is named above.' })
  await writeFile(stamp, wanted)
}

async function fingerprint(patterns: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  const files = new Set<string>()
  for (const pattern of patterns) for await (const file of glob(pattern, { cwd: ROOT })) files.add(file)
  for (const file of [...files].sort()) {
    const found = await stat(join(ROOT, file))
    if (!found.isFile() || /\.test\.ts$|\/testing\//.test(file)) continue
    hash.update(`${file}\0`).update(await readFile(join(ROOT, file)))
  }
  return hash.digest('hex')
}

if (process.argv[1] === import.meta.filename) await build(process.argv.slice(2))
