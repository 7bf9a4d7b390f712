/** The disk images that virtual machines are made from, kept in one folder: our own, by what they are made of, and downloaded ones, by their checksum. */
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FlotillaError, systemCode } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'
import type { LocalFiles } from '../steps/runtime.ts'
import { buildMachineImage, type BuildProgress } from './build.ts'
import { download, type DownloadProgress } from './download.ts'
import { imageRecipe, recipeDigest, type ImageArchitecture } from './recipe.ts'
import { imageBuildSupport } from './support.ts'

export interface MachineImage {
  /** Names it, and stays the same as long as what it is made of does. */
  readonly id: string
  /** Absolute path of a qcow2 file that nobody writes to. */
  readonly disk: string
  /** Absent: its own boot loader starts it. */
  readonly kernel?: string
  readonly initrd?: string
}

/** A disk image of a distribution that has cloud-init. */
export interface CloudImage {
  readonly url: string
  /** Of the file, 64 hexadecimal digits. */
  readonly sha256: string
}

export interface MachineImagesOptions {
  /** Absolute. */
  readonly dir: string
  readonly architecture: ImageArchitecture
  /** Node's binary for the image's architecture, and its sha256: it lies in the image, so that it need not be copied. */
  readonly runtime: { readonly path: string; sha256(): Promise<string> } | null
  readonly random: Random
}

interface Manifest {
  readonly id: string
  readonly architecture: ImageArchitecture
  /** RFC 3339. */
  readonly builtAt: string
}

const RUNTIME_PATH = 'opt/flotilla/bin/node'

/** Node's binaries lie in `runtimeDirs` as `node-linux-<arch>/bin/node`. */
export function machineImagesFor(options: {
  stateDir: string
  runtimeDirs: readonly string[]
  random: Random
  localFiles: LocalFiles
}): MachineImages {
  const arm = process.arch === 'arm64'
  const path = options.runtimeDirs.map((dir) => join(dir, `node-linux-${arm ? 'arm64' : 'x64'}`, 'bin/node')).find((one) => existsSync(one))
  return new MachineImages({
    dir: machineImagesDir(options.stateDir),
    architecture: arm ? 'arm64' : 'amd64',
    runtime: path === undefined ? null : { path, sha256: () => options.localFiles.sha256(path) },
    random: options.random,
  })
}

/** The folder of images for a state folder. `FLOTILLA_MACHINE_IMAGES` names another, which several may share. */
export function machineImagesDir(stateDir: string, env: NodeJS.ProcessEnv = process.env): string {
  return env['FLOTILLA_MACHINE_IMAGES'] || join(stateDir, 'machine-images')
}

export class MachineImages {
  readonly #options: MachineImagesOptions
  /** What is being made now, by id: who asks for the same waits with the first. */
  readonly #making = new Map<string, Promise<MachineImage>>()

  constructor(options: MachineImagesOptions) {
    this.#options = options
  }

  /** Our own image if it was built, else null. */
  async own(): Promise<MachineImage | null> {
    const id = await this.#ownId()
    return (await this.#manifest(id)) ? this.#at(id) : null
  }

  /**
   * Our own image; built if it was not. Throws UNSUPPORTED or MISSING_REQUIREMENT
   * where it cannot be built, and what `buildMachineImage` throws. A build that fails or is killed leaves nothing that is taken for an image.
   */
  async ensureOwn(options: { signal: AbortSignal; onProgress: (progress: BuildProgress) => void; now: number }): Promise<MachineImage> {
    const id = await this.#ownId()
    if (await this.#manifest(id)) return this.#at(id)
    return await this.#once(id, () => this.#build(id, options))
  }

  /** A cloud image as a disk, downloaded if it was not. Throws INVALID_INPUT, DISK_FULL. */
  async ensureCloud(
    image: CloudImage,
    options: { signal: AbortSignal; onProgress: (progress: DownloadProgress) => void },
  ): Promise<MachineImage> {
    const sha256 = checkSum(image.sha256)
    const disk = join(this.#options.dir, `${sha256}.img`)
    const found = await stat(disk).catch(missing)
    if (found) return { id: sha256, disk }
    return await this.#once(sha256, async () => {
      await mkdir(this.#options.dir, { recursive: true, mode: 0o755 })
      await download({ url: image.url, sha256, to: disk, ...options })
      return { id: sha256, disk }
    })
  }

  /** The image of this id if it is there. */
  async find(id: string): Promise<MachineImage | null> {
    if (await this.#manifest(id)) return this.#at(id)
    const disk = join(this.#options.dir, `${id}.img`)
    return (await stat(disk).catch(missing)) ? { id, disk } : null
  }

  async #ownId(): Promise<string> {
    const { architecture, runtime } = this.#options
    return recipeDigest(imageRecipe(architecture), runtime ? [await runtime.sha256()] : [])
  }

  #once(id: string, make: () => Promise<MachineImage>): Promise<MachineImage> {
    const running = this.#making.get(id)
    if (running) return running
    const made = make().finally(() => this.#making.delete(id))
    this.#making.set(id, made)
    return made
  }

  async #build(id: string, { signal, onProgress, now }: Parameters<MachineImages['ensureOwn']>[0]): Promise<MachineImage> {
    const lacks = imageBuildSupport()
    if (lacks) throw lacks
    const { dir, architecture, runtime, random } = this.#options
    await mkdir(dir, { recursive: true, mode: 0o755 })
    await this.#sweep()
    const scratch = join(dir, `${id}.${process.pid}-${random.uuid().slice(0, 8)}.new`)
    const [work, out] = [join(scratch, 'work'), join(scratch, 'out')]
    await mkdir(work, { recursive: true, mode: 0o755 })
    await mkdir(out)
    try {
      const programs = runtime ? [{ from: runtime.path, to: RUNTIME_PATH }] : []
      await buildMachineImage(imageRecipe(architecture), { work, out, programs, root: process.getuid?.() === 0, signal, onProgress })
      const manifest: Manifest = { id, architecture, builtAt: new Date(now).toISOString() }
      await writeFile(join(out, 'image.json'), `${JSON.stringify(manifest)}\n`, { flush: true })
      const place = join(dir, id)
      await rename(out, place).catch(async (error: unknown) => {
        // Another process was faster: its image is as good.
        if (!['ENOTEMPTY', 'EEXIST'].includes(systemCode(error) ?? '') || !(await this.#manifest(id))) throw error
      })
      return this.#at(id)
    } finally {
      await rm(scratch, { recursive: true, force: true })
    }
  }

  /** Takes away what processes left that are gone. */
  async #sweep(): Promise<void> {
    for (const name of await readdir(this.#options.dir)) {
      const pid = /\.(\d+)-[0-9a-f]+\.new$/.exec(name)?.[1]
      if (pid && !isRunning(Number(pid))) await rm(join(this.#options.dir, name), { recursive: true, force: true })
    }
  }

  async #manifest(id: string): Promise<Manifest | null> {
    const text = await readFile(join(this.#options.dir, id, 'image.json'), 'utf8').catch(missing)
    return text === null ? null : (JSON.parse(text) as Manifest)
  }

  #at(id: string): MachineImage {
    const dir = join(this.#options.dir, id)
    return { id, disk: join(dir, 'disk.qcow2'), kernel: join(dir, 'vmlinuz'), initrd: join(dir, 'initrd.img') }
  }
}

function checkSum(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase()
  throw new FlotillaError('INVALID_INPUT', {
    what: 'The cloud image cannot be used.',
    why: `"${text}" is no SHA-256 checksum: that has 64 hexadecimal digits.`,
    next: "Take it from the distribution's list of checksums.",
  })
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return systemCode(error) !== 'ESRCH'
  }
}

function missing(error: unknown): null {
  if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return null
  throw error
}
