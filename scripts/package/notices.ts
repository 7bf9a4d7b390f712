/** The licences of what is bundled: who gives the program away has to give these along. */
import { glob, mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '../lib.mjs'

interface Locked {
  readonly version?: string
  readonly license?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly dev?: boolean
}

/** Packages that sources import, by the folder they are installed in. */
export async function bundledPackages(): Promise<string[]> {
  const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as { packages: Record<string, Locked> }
  const wanted = new Set<string>()
  for await (const file of glob(['electron/**/*.ts', 'renderer/src/**/*.{ts,vue}'], { cwd: ROOT })) {
    if (/\.test\.ts$|\/testing\//.test(file)) continue
    const text = await readFile(join(ROOT, file), 'utf8')
    for (const [, name] of text.matchAll(/(?:from |import\(|import )'((?:@[\w.-]+\/)?[a-z][\w.-]*)(?:\/[^']*)?'/g)) {
      const path = `node_modules/${name}`
      if (name !== undefined && name !== 'electron' && packages[path]) add(path)
    }
  }
  return [...wanted].sort()

  function add(path: string): void {
    if (wanted.has(path)) return
    wanted.add(path)
    for (const name of Object.keys(packages[path]?.dependencies ?? {})) {
      const found = resolveFrom(path, name)
      if (found !== null) add(found)
    }
  }
  /** As Node looks: beside what asks, then further out. */
  function resolveFrom(path: string, name: string): string | null {
    for (let at = path; ; at = at.slice(0, at.lastIndexOf('/node_modules/'))) {
      const inner = `${at}/node_modules/${name}`
      if (packages[inner]) return inner
      if (!at.includes('/node_modules/')) return packages[`node_modules/${name}`] ? `node_modules/${name}` : null
    }
  }
}

/** Writes `THIRD-PARTY.txt` into `dir`: every package with its version, its licence and that licence's text. */
export async function stageNotices(dir: string): Promise<void> {
  const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as { packages: Record<string, Locked> }
  const parts: string[] = []
  for (const path of await bundledPackages()) {
    const { version, license } = packages[path] ?? {}
    const names = await readdir(join(ROOT, path)).catch(() => [])
    const files = names.filter((name) => /^(licen[cs]e|copying|notice)/i.test(name)).sort()
    const texts = await Promise.all(files.map((file) => readFile(join(ROOT, path, file), 'utf8').catch(() => '')))
    parts.push(
      [
        `${path.slice(path.lastIndexOf('node_modules/') + 13)} ${version ?? ''} (${license ?? 'see below'})`,
        ...texts.map((text) => text.trim()),
      ].join('\n\n'),
    )
  }
  await mkdir(dir, { recursive: true })
  const head = 'Flotilla contains these packages. Electron’s own licences are in LICENSES.chromium.html.'
  await writeFile(join(dir, 'THIRD-PARTY.txt'), `${[head, ...parts].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`)
}
