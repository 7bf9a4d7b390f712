/** Writes every generated file, or with `--check` lists those that are not up to date and exits 1. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { comparing, emit } from './emit.ts'
import { generateKindIndex } from './kinds.ts'
import { generateTypes } from './types.ts'

const root = join(import.meta.dirname, '../..')
const apiDir = join(root, 'electron/api')
const check = process.argv.includes('--check')
const stale: string[] = []
const write = check ? comparing(stale) : emit

await generateTypes(JSON.parse(await readFile(join(apiDir, 'schema/kubernetes-1.36.json'), 'utf8')), apiDir, write)
await generateKindIndex(apiDir, write)

if (stale.length) {
  console.error(`generated files are not up to date; run npm run generate:\n${stale.map((f) => `  ${f}`).join('\n')}`)
  process.exitCode = 1
}
