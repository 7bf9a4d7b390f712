/**
 * Makes the agent's one file, `resources/agent/agent.mjs`, which runs on the Node that is shipped with it. Of the schema facts it holds
 * only those of the kinds that it handles.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import type { InputOptions, Plugin } from 'rolldown'

const root = join(import.meta.dirname, '..')
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
const SCHEMA = /schema[/\\]kubernetes-[\d.]+\.json$/

/** Notes the models of all kinds that are bundled. */
function collectModels(models: Set<string>): Plugin {
  return {
    name: 'collect-models',
    transform(code, id) {
      if (/electron[/\\]api[/\\].*\.ts$/.test(id)) for (const [, model = ''] of code.matchAll(/\bmodel: '([^']+)'/g)) models.add(model)
      return null
    },
  }
}

/** Leaves out schema facts that none of the models refers to. */
function pruneSchema(models: ReadonlySet<string>): Plugin {
  return {
    name: 'prune-schema',
    transform(code, id) {
      if (!SCHEMA.test(id)) return null
      const facts = JSON.parse(code) as Record<string, unknown>
      const kept: Record<string, unknown> = {}
      const queue = [...models]
      for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
        if (name in kept || !(name in facts)) continue
        kept[name] = facts[name]
        for (const [, reference = ''] of JSON.stringify(facts[name]).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) queue.push(reference)
      }
      return { code: JSON.stringify(kept), map: null }
    },
  }
}

const input: InputOptions = { input: join(root, 'electron/agent/index.ts'), platform: 'node' }

const models = new Set<string>()
await using first = await rolldown({ ...input, plugins: [collectModels(models)] })
await first.generate({ format: 'esm' })

await using bundle = await rolldown({
  ...input,
  plugins: [pruneSchema(models)],
  transform: { define: { FLOTILLA_VERSION: JSON.stringify(version) } },
})
await bundle.write({
  file: join(root, 'resources/agent/agent.mjs'),
  format: 'esm',
  minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
  codeSplitting: false,
})
