/** What goes into the app's archive, and nothing else: no sources, no tests, no packages beside the bundles. */
import { cp, glob, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ROOT } from '../lib.mjs'

/** Relative to the project; folders as globs. */
const APP_FILES: readonly string[] = [
  'out/main/**/*.js',
  'out/preload/index.cjs',
  'out/renderer/**/*',
  'resources/*.png',
  'resources/icon.svg',
  'resources/descriptions.json',
  'resources/units/**/*',
  'LICENSE',
  'NOTICE',
]

interface ProjectPackage {
  readonly name: string
  readonly productName: string
  readonly version: string
  readonly description: string
  readonly license: string
  readonly main: string
}

/** All files of the app, sorted, relative to the project. */
export async function appFiles(): Promise<string[]> {
  const found = new Set<string>()
  for (const pattern of APP_FILES)
    for await (const file of glob(pattern, { cwd: ROOT })) if ((await stat(join(ROOT, file))).isFile()) found.add(file)
  return [...found].sort()
}

/** Lays the app out in `dir`, which is empty, with a package.json that names no packages: there are none to be shipped. */
export async function stageApp(dir: string): Promise<void> {
  for (const file of await appFiles()) {
    await mkdir(dirname(join(dir, file)), { recursive: true })
    await cp(join(ROOT, file), join(dir, file))
  }
  const { name, productName, version, description, license, main } = JSON.parse(
    await readFile(join(ROOT, 'package.json'), 'utf8'),
  ) as ProjectPackage
  const shown = {
    name,
    productName,
    version,
    description,
    license,
    type: 'module',
    main,
    author: 'the Flotilla authors',
    homepage: 'https://flotilla.dev',
  }
  await writeFile(join(dir, 'package.json'), `${JSON.stringify(shown, null, 2)}\n`)
}
