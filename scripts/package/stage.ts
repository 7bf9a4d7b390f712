/** Lays out what installers are made from, below `.cache/package`: the same files, with the same times, from the same commit. */
import { lutimes, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheDir } from '../lib.mjs'
import { stageApp } from './app-files.ts'
import { stageNative, type Arch, type Os } from './native.ts'
import { stageNotices } from './notices.ts'
import { stageRuntimes } from './runtimes.ts'

export interface Staged {
  /** Systems for which node-pty could not be had: "linux-arm64". */
  readonly withoutNative: readonly string[]
}

/** `epoch`: in seconds, the time that every file gets. */
export async function stage(options: { os: Os; arches: readonly Arch[]; epoch: number; runtimes?: boolean }): Promise<Staged> {
  const root = cacheDir('package')
  await rm(root, { recursive: true, force: true })
  const dir = (name: string) => join(root, name)
  for (const name of ['app', 'runtimes', 'native', 'notices']) await mkdir(dir(name), { recursive: true })
  await stageApp(dir('app'))
  if (options.runtimes !== false) await stageRuntimes(dir('runtimes'))
  await stageNotices(dir('notices'))
  const withoutNative: string[] = []
  for (const arch of options.arches) {
    if (await stageNative(dir('native'), options.os, arch)) continue
    await mkdir(join(dir('native'), `${options.os}-${arch}`), { recursive: true })
    withoutNative.push(`${options.os}-${arch}`)
  }
  await setTimes(root, options.epoch)
  return { withoutNative }
}

async function setTimes(path: string, epoch: number): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const inner = join(path, entry.name)
    if (entry.isDirectory()) await setTimes(inner, epoch)
    await lutimes(inner, epoch, epoch)
  }
}
