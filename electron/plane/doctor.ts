/** What this computer has for running machines and a plane, without a running plane. */
import { constants } from 'node:fs'
import { access, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ResultOf } from '../contracts/channel.ts'
import type { Channels } from '../contracts/channels.ts'
import { sandboxSupport } from '../provision/sandbox/support.ts'
import { loadNodePty } from './face/terminal.ts'

export type Check = ResultOf<Channels['app.doctor']>[number]

export async function diagnose(options: {
  stateDir: string
  agentDir: string
  rendererDir: string
  runtimeDirs: readonly string[]
}): Promise<Check[]> {
  return await Promise.all([
    stateFolder(options.stateDir),
    diskSpace(options.stateDir),
    sandbox(),
    agent(options),
    ui(options.rendererDir),
    localShell(),
  ])
}

async function stateFolder(dir: string): Promise<Check> {
  const name = 'State folder'
  const found = await stat(dir).catch(() => null)
  if (!found) return { name, state: 'ok', found: `${dir}, will be made` }
  if (!found.isDirectory()) return { name, state: 'fail', found: `${dir} is not a folder`, advice: 'Name another with --state.' }
  const writable = await access(dir, constants.W_OK).then(
    () => true,
    () => false,
  )
  if (!writable) return { name, state: 'fail', found: `${dir} is not writable`, advice: 'Run as its owner, or name another with --state.' }
  return { name, state: 'ok', found: dir }
}

async function diskSpace(dir: string): Promise<Check> {
  const name = 'Disk space'
  let at = dir
  for (;;) {
    const fs = await statfs(at).catch(() => null)
    if (fs) {
      const free = (fs.bavail * fs.bsize) / 2 ** 30
      const found = `${free.toFixed(1)} Gi free`
      if (free < 1) return { name, state: 'fail', found, advice: 'Free at least 1 Gi; images and logs need room.' }
      return free < 5
        ? { name, state: 'warn', found, advice: 'Images and logs need room; 5 Gi is a good start.' }
        : { name, state: 'ok', found }
    }
    if (dirname(at) === at) return { name, state: 'fail', found: 'cannot be read' }
    at = dirname(at)
  }
}

async function sandbox(): Promise<Check> {
  const name = 'Machines on this computer'
  const lacks = await sandboxSupport()
  if (!lacks) return { name, state: 'ok', found: 'sandbox machines can be made' }
  return { name, state: 'warn', found: `${lacks.what} ${lacks.why}`, advice: lacks.next }
}

async function agent(options: { agentDir: string; runtimeDirs: readonly string[] }): Promise<Check> {
  const name = 'Agent for machines'
  const bundle = await stat(join(options.agentDir, 'agent.mjs')).catch(() => null)
  if (!bundle) return { name, state: 'fail', found: 'not built', advice: 'Build it with `npm run build`.' }
  const runtimes: string[] = []
  for (const arch of ['x64', 'arm64']) {
    for (const dir of options.runtimeDirs) {
      if (await stat(join(dir, `node-linux-${arch}/bin/node`)).catch(() => null)) runtimes.push(arch)
    }
  }
  if (!runtimes.length) return { name, state: 'fail', found: 'no Node for Linux', advice: 'Install the packages again with `npm ci`.' }
  return { name, state: 'ok', found: `${(bundle.size / 2 ** 20).toFixed(1)} Mi, for ${runtimes.join(' and ')}` }
}

async function ui(dir: string): Promise<Check> {
  const name = 'User interface'
  const built = await stat(join(dir, 'index.html')).catch(() => null)
  return built
    ? { name, state: 'ok', found: 'built' }
    : { name, state: 'warn', found: 'not built', advice: 'Build it with `npm run build`.' }
}

async function localShell(): Promise<Check> {
  const name = 'Terminal on this computer'
  const lacks = await loadNodePty().then(
    () => null,
    (error: unknown) => String(error instanceof Error ? error.message : error),
  )
  if (!lacks) return { name, state: 'ok', found: 'available' }
  return { name, state: 'warn', found: lacks, advice: 'Install a compiler (Debian: build-essential) and run `npm ci` again.' }
}
