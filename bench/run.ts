/**
 * `npm run bench -- NAME …`: runs `bench/NAME/NAME.bench.ts`, which exports `run(): AsyncIterable<Measure>`, and prints one JSON object
 * a line. Ends with 0 when all ran, 1 when one failed, 2 when there is none of that name; a FlotillaError ends with its own code.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { FlotillaError, messageOf } from '../electron/base/errors.ts'
import type { Measure } from './measure.ts'

interface Bench {
  run(): AsyncIterable<Measure>
}

function fileOf(name: string): string {
  return join(import.meta.dirname, name, `${name}.bench.ts`)
}

function names(): string[] {
  return readdirSync(import.meta.dirname).filter((name) => /^[a-z0-9-]+$/.test(name) && existsSync(fileOf(name)))
}

async function runBench(name: string): Promise<void> {
  const bench = (await import(pathToFileURL(fileOf(name)).href)) as Bench
  for await (const measure of bench.run()) process.stdout.write(`${JSON.stringify({ bench: name, ...measure })}\n`)
}

async function main(wanted: readonly string[]): Promise<number> {
  const known = names()
  const unknown = wanted.filter((name) => !known.includes(name))
  if (wanted.length === 0 || unknown.length > 0) {
    const what = unknown.length > 0 ? `There is no bench called ${unknown.join(', ')}.` : 'No bench was named.'
    process.stderr.write(`error: ${what}\nnext: Choose from: ${known.join(', ')}.\n`)
    return 2
  }
  let code = 0
  for (const name of wanted) {
    try {
      await runBench(name)
    } catch (error) {
      process.stderr.write(
        `error: The bench ${name} failed: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}\n`,
      )
      code ||= error instanceof FlotillaError ? error.exitCode : 1
    }
  }
  return code
}

process.exitCode = await main(process.argv.slice(2))
