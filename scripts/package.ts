/**
 * `npm run package -- [--linux|--mac|--win] [--x64] [--arm64] [--dir] [--target NAME]… [--out DIR]`: makes installers in `dist/` by
 * electron-builder.yml. `docs/release.md` says what a release needs beside it. Environment: SOURCE_DATE_EPOCH (default: the time of the
 * last commit), FLOTILLA_UPDATES (https URL below which updates are published; without it the app looks for none),
 * FLOTILLA_ELECTRON (folder with an unpacked Electron, where its archive cannot be fetched).
 */
import { parseArgs } from 'node:util'
import { build as runBuilder, Arch as BuilderArch, Platform, type Configuration } from 'electron-builder'
import { build } from './build.ts'
import { fail, ROOT, run, say } from './lib.mjs'
import { type Arch, type Os } from './package/native.ts'
import { stage } from './package/stage.ts'

const { values } = parseArgs({
  options: {
    linux: { type: 'boolean', default: false },
    mac: { type: 'boolean', default: false },
    win: { type: 'boolean', default: false },
    x64: { type: 'boolean', default: false },
    arm64: { type: 'boolean', default: false },
    dir: { type: 'boolean', default: false },
    out: { type: 'string', default: 'dist' },
    target: { type: 'string', multiple: true, default: [] },
  },
})

const PLATFORMS = { linux: Platform.LINUX, mac: Platform.MAC, win: Platform.WINDOWS } as const
const NATIVE: Partial<Record<NodeJS.Platform, Os>> = { darwin: 'mac', win32: 'win' }

const os = (['linux', 'mac', 'win'] as const).find((name) => values[name]) ?? NATIVE[process.platform] ?? 'linux'
const chosen = (['x64', 'arm64'] as const).filter((name) => values[name])
const arches: readonly Arch[] = chosen.length > 0 ? chosen : ['x64', 'arm64']

process.env['SOURCE_DATE_EPOCH'] ??= await timeOfCommit()
await build()
const { withoutNative } = await stage({ os, arches, epoch: Number(process.env['SOURCE_DATE_EPOCH']) })
for (const system of withoutNative) say(`For ${system} there is no node-pty here: that package opens no terminal on its own computer.`)

const targets = values.dir ? ['dir'] : values.target
await runBuilder({
  projectDir: ROOT,
  targets: PLATFORMS[os].createTarget(targets.length > 0 ? [...targets] : undefined, ...arches.map((arch) => BuilderArch[arch])),
  publish: 'never',
  config: { extends: 'electron-builder.yml', ...fromEnvironment() },
})

function fromEnvironment(): Configuration {
  const updates = process.env['FLOTILLA_UPDATES']
  if (updates !== undefined && !updates.startsWith('https://'))
    fail({
      what: 'FLOTILLA_UPDATES is not an https address.',
      why: `It is "${updates}".`,
      next: 'Updates are taken over https only.',
      code: 2,
    })
  const electron = process.env['FLOTILLA_ELECTRON']
  return {
    directories: { output: values.out },
    // No packages: neither installed nor searched for.
    beforeBuild: () => Promise.resolve(false),
    ...(updates === undefined ? {} : { publish: { provider: 'generic', url: updates } }),
    ...(electron === undefined ? {} : { electronDist: electron }),
  }
}

async function timeOfCommit(): Promise<string> {
  const { code, output } = await run('git', ['log', '-1', '--format=%ct'], { quiet: true })
  return code === 0 ? output.trim() : '0'
}
