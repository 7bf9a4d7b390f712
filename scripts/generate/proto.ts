/**
 * Writes the protobuf code of those who speak gRPC (js with declarations, because the generator's TypeScript has enums) from their
 * `.proto` files, or with `--check` lists what is not up to date and exits 1.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'

const root = join(import.meta.dirname, '../..')
const bin = join(root, 'node_modules/.bin')
/** Folders with a `proto` from which their `gen` is made. */
const OWNERS = ['electron/agent/runtime', 'electron/store/wire']

async function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  const child = spawn(command, args, { cwd, stdio: 'inherit', env: { ...process.env, PATH: `${bin}:${process.env['PATH']}` } })
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('exit', resolve))
  if (code !== 0) throw new Error(`${command} ended with ${code}`)
}

async function files(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(dir, join(entry.parentPath, entry.name)))
}

/** The files below the root that were not as they should be. */
async function generate(owner: string, out: string): Promise<string[]> {
  const target = join(root, owner, 'gen')
  const template = { version: 'v2', plugins: [{ local: 'protoc-gen-es', out, opt: ['target=js+dts', 'import_extension=js'] }] }
  await run(join(bin, 'buf'), ['generate', '.', '--template', JSON.stringify(template)], join(root, owner, 'proto'))
  const made = await files(out)
  const stale: string[] = []
  for (const file of new Set([...made, ...(await files(target))])) {
    const wanted = made.includes(file) ? await readFile(join(out, file), 'utf8') : null
    if ((await readFile(join(target, file), 'utf8').catch(() => null)) === wanted) continue
    stale.push(join(owner, 'gen', file))
    if (process.argv.includes('--check')) continue
    if (wanted === null) await rm(join(target, file))
    else {
      await mkdir(dirname(join(target, file)), { recursive: true })
      await writeFile(join(target, file), wanted)
    }
  }
  return stale
}

const stale: string[] = []
for (const owner of OWNERS) {
  const out = await mkdtemp(join(tmpdir(), 'proto-'))
  try {
    stale.push(...(await generate(owner, out)))
  } finally {
    await rm(out, { recursive: true })
  }
}
if (stale.length && process.argv.includes('--check')) {
  console.error(`generated files are not up to date; run node scripts/generate/proto.ts:\n${stale.map((f) => `  ${f}`).join('\n')}`)
  process.exitCode = 1
}
