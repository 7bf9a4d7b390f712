/** Builds Flotilla's own machine image from Debian's packages: mmdebstrap, then mke2fs -d, then qemu-img. Needs no loop device and, where user namespaces are set up, no root. */
import { spawn } from 'node:child_process'
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { FlotillaError, systemCode } from '../../base/errors.ts'
import { quote } from '../quote.ts'
import { CLEAN_ENV, CommandError } from '../sandbox/run.ts'
import { makeInitrd } from './initrd.ts'
import type { ImageRecipe } from './recipe.ts'

export type BuildPhase = 'packages' | 'filesystem' | 'disk'

export interface BuildProgress {
  readonly phase: BuildPhase
  /** What goes on: "unpacking packages". */
  readonly detail: string
}

export interface BuildOptions {
  /** Empty folder that takes what comes up while building, on a disk with 4 GiB free. */
  readonly work: string
  /** Empty folder for the result: `disk.qcow2`, `vmlinuz`, `initrd.img`. */
  readonly out: string
  /** Programs to lay into the image: path here, path there without its leading slash. */
  readonly programs: readonly { readonly from: string; readonly to: string }[]
  readonly root: boolean
  readonly signal: AbortSignal
  readonly onProgress: (progress: BuildProgress) => void
}

/** Throws MISSING_REQUIREMENT, DISK_FULL, INVALID_INPUT (packages could not be had) or CANCELLED. */
export async function buildMachineImage(recipe: ImageRecipe, options: BuildOptions): Promise<void> {
  const { work, out, signal, onProgress } = options
  const steps: [BuildPhase, string, () => Promise<void>][] = [
    ['packages', 'fetching and installing Debian packages', () => packages(recipe, options)],
    ['filesystem', 'making the file system', () => filesystem(recipe, options)],
    [
      'disk',
      'writing the disk',
      () => command('qemu-img', ['convert', '-O', 'qcow2', join(work, 'disk.raw'), join(out, 'disk.qcow2')], options, () => undefined),
    ],
  ]
  for (const [phase, detail, run] of steps) {
    signal.throwIfAborted()
    onProgress({ phase, detail })
    try {
      await run()
    } catch (error) {
      throw buildError(detail, error)
    }
  }
}

async function packages(recipe: ImageRecipe, options: BuildOptions): Promise<void> {
  const { work, root, onProgress } = options
  const args = [
    ...['--variant=minbase', `--mode=${root ? 'root' : 'unshare'}`, `--architectures=${recipe.architecture}`],
    `--include=${recipe.packages.join(',')}`,
    ...['--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Languages "none"'],
    ...recipe.excluded.map((path) => `--dpkgopt=path-exclude=${path}`),
    // Our own initial RAM disk takes the place of Debian's.
    '--essential-hook=mkdir -p "$1/etc/initramfs-tools" && echo update_initramfs=no > "$1/etc/initramfs-tools/update-initramfs.conf"',
    '--essential-hook=mkdir -p "$1/etc/kernel/postinst.d" && printf "#!/bin/sh\\nexit 0\\n" > "$1/etc/kernel/postinst.d/initramfs-tools" && chmod 755 "$1/etc/kernel/postinst.d/initramfs-tools"',
    '--dpkgopt=force-confold',
    '--customize-hook=rm -rf "$1"/etc/ssh/ssh_host_* "$1"/boot/initrd.img-* "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin',
    recipe.suite,
    join(work, 'root.tar'),
  ]
  await command('mmdebstrap', args, options, (line) => {
    const said = /^I: (.+)$/.exec(line)?.[1]
    if (said) onProgress({ phase: 'packages', detail: said })
  })
}

/** Unpacks, lays our files over, and makes the file system, all with the owners that the packages gave. */
async function filesystem(recipe: ImageRecipe, options: BuildOptions): Promise<void> {
  const { work, out, programs, root } = options
  const [tree, over] = [join(work, 'root'), join(work, 'overlay')]
  for (const entry of recipe.overlay) {
    const path = join(over, entry.path)
    await mkdir(dirname(path), { recursive: true })
    if ('link' in entry) await symlink(entry.link, path)
    else await writeFile(path, entry.content, { mode: entry.mode ?? 0o644 })
  }
  const copies = programs.map(({ from, to }) => `install -D -m 755 ${quote(from)} ${quote(join(tree, to))}`)
  const script = [
    'set -e',
    `mkdir -p ${quote(tree)} ${quote(over)}`,
    `tar -xf ${quote(join(work, 'root.tar'))} -C ${quote(tree)} --numeric-owner --exclude=./dev/*`,
    `rm ${quote(join(work, 'root.tar'))}`,
    `cp -r --no-preserve=ownership --preserve=mode,links --remove-destination ${quote(`${over}/.`)} ${quote(tree)}`,
    `chown -h -R 0:0 ${quote(tree)}/etc/systemd ${quote(tree)}/etc/ssh`,
    ...copies,
    `mke2fs -q -t ext4 -m 0 -L flotilla -d ${quote(tree)} ${quote(join(work, 'disk.raw'))} ${recipe.sizeMib}M`,
  ].join('\n')
  await inNamespace(script, options)
  const boot = join(tree, 'boot')
  const kernel = (await readdir(boot)).find((name) => name.startsWith('vmlinuz-'))
  if (kernel === undefined) throw new Error('the packages brought no kernel')
  await command('cp', [join(boot, kernel), join(out, 'vmlinuz')], options, () => undefined)
  await writeFile(join(out, 'initrd.img'), await makeInitrd(tree, recipe.init, recipe.initModules))
  await (root ? Promise.resolve() : inNamespace(`rm -rf ${quote(tree)}`, options))
}

/** With root, as it is; else in a user namespace in which the user's subordinate IDs can own files. */
async function inNamespace(script: string, options: BuildOptions): Promise<void> {
  const [program, ...args] = options.root
    ? ['sh', '-c', script]
    : ['unshare', '--map-root-user', '--map-auto', '--user', 'sh', '-c', script]
  await command(program ?? '', args, options, () => undefined)
}

function command(program: string, args: readonly string[], options: BuildOptions, onLine: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...CLEAN_ENV, TMPDIR: options.work },
      signal: options.signal,
    })
    const last: string[] = []
    const lines = createInterface({ input: child.stderr })
    lines.on('line', (line) => {
      onLine(line)
      if (last.push(line) > 12) last.shift()
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve()
      else reject(new CommandError(program, code ?? signal, last.join('\n')))
    })
  })
}

function buildError(step: string, error: unknown): unknown {
  if (error instanceof FlotillaError || (error instanceof Error && error.name === 'AbortError')) return error
  const what = `The machine image could not be built: it failed at ${step}.`
  const said = error instanceof CommandError ? error.stderr : String(error)
  if (systemCode(error) === 'ENOENT' && error instanceof Error)
    return new FlotillaError('MISSING_REQUIREMENT', {
      what,
      why: `${error.message}.`,
      next: 'Install mmdebstrap, e2fsprogs and qemu-utils.',
      cause: error,
    })
  if (systemCode(error) === 'ENOSPC' || /No space left on device|Could not allocate block/i.test(said))
    return new FlotillaError('DISK_FULL', {
      what,
      why: 'The disk is full.',
      next: 'Building needs about 4 GiB for a while, and the image keeps one. Make room, then try again.',
      cause: error,
    })
  const reason = /^(?:E: .*|.*error.*)$/im.exec(said)?.[0] ?? said.trim().split('\n').at(-1) ?? 'it left no message'
  return new FlotillaError('INVALID_INPUT', {
    what,
    why: `${reason.trim()}.`,
    next: 'Check that this computer reaches a mirror of Debian, then try again.',
    cause: error,
  })
}
