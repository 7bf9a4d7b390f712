// @ts-check
/** What the set-up scripts share. Runs on the system's Node (20 or newer) before anything is installed: no dependencies. */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const STAMP = join(ROOT, 'node_modules/.flotilla-installed')

/** @param {string} text */
export function say(text) {
  process.stderr.write(`${text}\n`)
}

/**
 * Prints what failed, why and what to do, and ends.
 * @param {{ what: string, why?: string, next?: string, code?: number }} parts
 * @returns {never}
 */
export function fail({ what, why = '', next = '', code = 1 }) {
  for (const line of [`error: ${what}`, why, next && `next: ${next}`]) if (line) say(line)
  process.exit(code)
}

/** The project's own Node where its package is for this platform, else the one that runs. */
export function projectNode() {
  const local = join(ROOT, `node_modules/node-linux-${process.arch}/bin/node`)
  return existsSync(local) ? local : process.execPath
}

/** Puts the project's tools and Node first. */
export function projectEnv() {
  const own = [dirname(projectNode()), join(ROOT, 'node_modules/.bin'), join(ROOT, '.cache/bin')]
  return { ...process.env, PATH: [...own, process.env['PATH']].join(':') }
}

/**
 * Runs a command to its end with the project's tools on PATH; returns its exit code.
 * @param {string} command
 * @param {string[]} args
 * @param {{ quiet?: boolean, env?: Record<string, string> }} [options]
 * @returns {Promise<{ code: number, output: string }>}
 */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env: { ...projectEnv(), ...options.env },
      stdio: options.quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += String(chunk)))
    child.on('error', (error) => resolve({ code: 127, output: error.message }))
    child.on('exit', (code, signal) => resolve({ code: code ?? (signal ? 1 : 0), output }))
  })
}

/**
 * Replaces this process's work: runs a script on the project's Node, hands on signals, and ends with its code.
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 */
export function become(args, env = {}) {
  const child = spawn(projectNode(), args, { cwd: process.cwd(), env: { ...projectEnv(), ...env }, stdio: 'inherit' })
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => fail({ what: `Could not run ${args[0]}.`, why: error.message }))
  child.on('exit', (code, signal) => process.exit(code ?? (signal ? 128 + 15 : 1)))
}

/** Installs the npm packages of the lock file if they are not there yet. */
export async function ensurePackages() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex')
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return
  say('Installing packages (once, about a minute) …')
  const { code, output } = await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { quiet: true })
  if (code !== 0)
    fail({
      what: 'The packages could not be installed.',
      why: output.trim().split('\n').slice(-15).join('\n'),
      next: 'Check the network and the free disk space, then run the command again.',
    })
  writeFileSync(STAMP, wanted)
}

/** Debian packages by what they are for; `has` finds out without root. */
export const DEBIAN = {
  containerd: { files: ['/usr/bin/containerd'], why: 'runs containers' },
  runc: { files: ['/usr/sbin/runc', '/usr/bin/runc'], why: 'runs containers' },
  'containernetworking-plugins': { files: ['/usr/lib/cni/bridge'], why: 'pod network' },
  'openssh-server': { files: ['/usr/sbin/sshd'], why: 'machines on this computer' },
  'openssh-client': { files: ['/usr/bin/ssh-keygen'], why: 'machines on this computer' },
  nftables: { files: ['/usr/sbin/nft'], why: 'Services' },
  iproute2: { files: ['/usr/sbin/ip', '/sbin/ip'], why: 'pod network' },
  'busybox-static': { files: ['/usr/bin/busybox', '/bin/busybox'], why: 'the demo image' },
  chromium: { files: ['/usr/bin/chromium'], why: 'tests of the UI' },
  'etcd-server': { files: ['/usr/bin/etcd'], why: 'the peer of the store in tests' },
  'etcd-client': { files: ['/usr/bin/etcdctl'], why: 'tests of the store' },
  gcc: { files: ['/usr/bin/gcc'], why: 'the faulty disk of the robustness tests' },
  'libc6-dev': { files: ['/usr/include/stdlib.h'], why: 'the faulty disk of the robustness tests' },
  'docker-registry': { files: ['/usr/bin/docker-registry'], why: 'tests of pulling' },
  'python3-kubernetes': { files: ['/usr/lib/python3/dist-packages/kubernetes/__init__.py'], why: 'tests of a client library' },
  'qemu-system-x86': { files: ['/usr/bin/qemu-system-x86_64'], why: 'virtual machines' },
  'qemu-utils': { files: ['/usr/bin/qemu-img'], why: 'virtual machines' },
  e2fsprogs: { files: ['/usr/sbin/mke2fs', '/sbin/mke2fs'], why: 'the disks of virtual machines' },
  mmdebstrap: { files: ['/usr/bin/mmdebstrap'], why: 'tests on a machine with systemd' },
}

/** What a machine on this computer needs. */
export const FOR_SANDBOX = /** @type {(keyof typeof DEBIAN)[]} */ ([
  'containerd',
  'runc',
  'containernetworking-plugins',
  'openssh-server',
  'openssh-client',
  'nftables',
  'iproute2',
  'busybox-static',
])

/** @param {(keyof typeof DEBIAN)[]} names */
export function missingDebian(names) {
  return names.filter((name) => !DEBIAN[name].files.some((file) => existsSync(file)))
}

/** Whether Debian packages can be installed without asking anyone. */
export function mayInstall() {
  return process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')
}

/**
 * Installs Debian packages; services that come with them are not started.
 * @param {string[]} names
 * @returns {Promise<string | null>} why it failed, or null
 */
export async function installDebian(names) {
  if (!names.length) return null
  say(`Installing Debian packages: ${names.join(' ')} …`)
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  const policy = '/usr/sbin/policy-rc.d'
  const own = !existsSync(policy)
  if (own) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    const install = () => run('apt-get', ['install', '-y', '--no-install-recommends', '-qq', ...names], { quiet: true, env })
    let result = await install()
    if (result.code !== 0) {
      await run('apt-get', ['update', '-qq'], { quiet: true, env })
      result = await install()
    }
    return result.code === 0 ? null : result.output.trim().split('\n').slice(-5).join('\n')
  } finally {
    if (own) spawnSync('rm', ['-f', policy])
  }
}

/** A folder for what can be made again, git-ignored. */
export function cacheDir(name = '') {
  const dir = join(ROOT, '.cache', name)
  mkdirSync(dir, { recursive: true })
  return dir
}
