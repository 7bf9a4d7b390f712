/**
 * Writes `resources/descriptions.json`: what Kubernetes' API says of its models and fields, for `kubectl explain` and the editor. The
 * text is taken from the type declarations of the installed @kubernetes/client-node and is not kept in the repository. They leave out
 * what fields are for that only refer to a model: that is our own.
 */
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { FACTS } from '../electron/api/schema/facts.ts'
import { referenceText } from './reference-texts.ts'

const root = join(import.meta.dirname, '..')
const models = join(root, 'node_modules/@kubernetes/client-node/dist/gen/models')
const target = process.argv[2] ?? join(root, 'resources/descriptions.json')

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

/** "io.k8s.api.core.v1.Pod": V1Pod, or with the group where a name is in several. */
function candidates(model: string): string[] {
  const parts = model.split('.')
  const [group = '', version = '', kind = ''] = parts.slice(-3)
  return [`${capital(group)}${capital(version)}${kind}`, `${capital(version)}${kind}`]
}

/** The comment before each property and before the class, joined to one line each. */
function read(text: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [, comment = '', owner = '', property] of text.matchAll(
    /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(export declare class \w+|'([^']+)'\??:)/g,
  )) {
    const lines = comment.split('\n').map((line) => line.replace(/^\s*\*\s?/, '').trim())
    const prose = lines
      .join(' ')
      .trim()
      .replaceAll(String.raw`\'`, "'")
      .replaceAll(String.raw`\"`, '"')
    if (prose) found[owner.startsWith('export') ? '' : String(property)] = prose
  }
  return found
}

const files = new Set(await readdir(models))
const descriptions: Record<string, Record<string, string>> = {}
for (const model of Object.keys(FACTS)) {
  const name = candidates(model).find((one) => files.has(`${one}.d.ts`))
  if (!name) continue
  const texts = read(await readFile(join(models, `${name}.d.ts`), 'utf8'))
  const known = FACTS[model]?.properties ?? {}
  // The generator puts an underscore before names that TypeScript reserves.
  const entries = Object.entries(texts).map(([key, text]) => [key in known || key === '' ? key : key.replace(/^_/, ''), text] as const)
  const kept = entries.filter(([key]) => key === '' || key in known)
  for (const [key, schema] of Object.entries(known)) {
    const text = schema.$ref === undefined || key in texts ? undefined : referenceText(model, key, schema.$ref)
    if (text !== undefined) kept.push([key, text])
  }
  if (kept.length) descriptions[model] = Object.fromEntries(kept)
}
await mkdir(dirname(target), { recursive: true })
await writeFile(target, JSON.stringify(descriptions))
console.log(`${Object.keys(descriptions).length} of ${Object.keys(FACTS).length} models described in ${target}`)
