/**
 * Writes container images as one tar that `ctr images import`, `docker load` and other readers of the OCI image layout take.
 * Source: OCI image-spec 1.1 (image-layout, manifest, config), and Docker's `manifest.json` for older readers. The same images
 * make the same bytes.
 */
import { createHash } from 'node:crypto'
import { packTar, type TarEntry } from 'modern-tar'
import type { Architecture } from './elf.ts'

/** One thing in an image's root, by its path without a leading slash. */
export type ImageEntry =
  | { readonly path: string; readonly mode: number; readonly content: Uint8Array | string }
  | { readonly path: string; readonly link: string }
  | { readonly path: string; readonly directory: true; readonly mode?: number }

export interface ImageSpec {
  readonly architecture: Architecture
  readonly entries: readonly ImageEntry[]
  readonly entrypoint: readonly string[]
  /** What the entrypoint is given unless a container says otherwise; a Dockerfile's CMD. */
  readonly args?: readonly string[]
  readonly env?: readonly string[]
  readonly workingDir?: string
  /** "65534:65534"; absent: root. */
  readonly user?: string
  /** As in a Dockerfile's EXPOSE: "8080/tcp". */
  readonly ports?: readonly string[]
}

const OCI = 'application/vnd.oci.image'

interface Descriptor {
  mediaType: string
  digest: string
  size: number
  platform?: { os: 'linux'; architecture: Architecture }
  annotations?: Record<string, string>
}

/**
 * A tar with the image `reference` ("flotilla.local/pause:1"): one manifest for each of `images`, which differ in their
 * architecture; several are put under one index.
 */
export async function imageArchive(reference: string, images: readonly ImageSpec[]): Promise<Uint8Array> {
  const blobs = new Map<string, Uint8Array>()
  const addBlob = (mediaType: string, content: Uint8Array): Descriptor => {
    const digest = sha256(content)
    blobs.set(digest, content)
    return { mediaType, digest: `sha256:${digest}`, size: content.length }
  }
  const addJson = (mediaType: string, value: unknown) => addBlob(mediaType, json(value))

  const legacy: { Config: string; RepoTags: string[]; Layers: string[] }[] = []
  const manifests: Descriptor[] = []
  for (const image of images) {
    const layer = addBlob(`${OCI}.layer.v1.tar`, await packLayer(image.entries))
    const config = addJson(`${OCI}.config.v1+json`, configOf(image, layer.digest))
    const manifest = { schemaVersion: 2, mediaType: `${OCI}.manifest.v1+json`, config, layers: [layer] }
    manifests.push({ ...addJson(`${OCI}.manifest.v1+json`, manifest), platform: { os: 'linux', architecture: image.architecture } })
    legacy.push({ Config: blobPath(config), RepoTags: [reference], Layers: [blobPath(layer)] })
  }
  const [only, ...others] = manifests
  if (!only) throw new Error('an image archive holds at least one image')
  const indexType = `${OCI}.index.v1+json`
  const top = others.length ? addJson(indexType, { schemaVersion: 2, mediaType: indexType, manifests }) : only
  const named = {
    ...top,
    annotations: { 'io.containerd.image.name': reference, 'org.opencontainers.image.ref.name': reference.split(':').at(-1) ?? 'latest' },
  }
  const files: TarEntry[] = [
    file('oci-layout', json({ imageLayoutVersion: '1.0.0' })),
    file('index.json', json({ schemaVersion: 2, mediaType: indexType, manifests: [named] })),
    // Docker's own list knows no architectures, so it is written only where there is one.
    ...(others.length ? [] : [file('manifest.json', json(legacy))]),
    directory('blobs/'),
    directory('blobs/sha256/'),
    ...[...blobs].map(([digest, content]) => file(`blobs/sha256/${digest}`, content)),
  ]
  return packTar(files)
}

const EPOCH = new Date(0)

function packLayer(entries: readonly ImageEntry[]): Promise<Uint8Array> {
  const made = new Set<string>()
  const out: TarEntry[] = []
  for (const entry of entries) {
    for (let at = entry.path.indexOf('/'); at !== -1; at = entry.path.indexOf('/', at + 1)) {
      const parent = entry.path.slice(0, at + 1)
      if (made.has(parent)) continue
      made.add(parent)
      out.push(directory(parent))
    }
    if ('directory' in entry) {
      made.add(`${entry.path}/`)
      out.push(directory(`${entry.path}/`, entry.mode))
    } else if ('link' in entry) {
      out.push({
        header: { name: entry.path, linkname: entry.link, type: 'symlink', size: 0, mode: 0o777, mtime: EPOCH, uid: 0, gid: 0 },
      })
    } else out.push(file(entry.path, entry.content, entry.mode))
  }
  return packTar(out)
}

function configOf(image: ImageSpec, layerDigest: string): unknown {
  return {
    created: EPOCH.toISOString(),
    architecture: image.architecture,
    os: 'linux',
    config: {
      Entrypoint: image.entrypoint,
      ...(image.args?.length ? { Cmd: image.args } : {}),
      Env: image.env ?? ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      WorkingDir: image.workingDir ?? '/',
      ...(image.user ? { User: image.user } : {}),
      ...(image.ports?.length ? { ExposedPorts: Object.fromEntries(image.ports.map((port) => [port, {}])) } : {}),
    },
    rootfs: { type: 'layers', diff_ids: [layerDigest] },
    history: [{ created: EPOCH.toISOString(), created_by: 'flotilla' }],
  }
}

function file(name: string, content: Uint8Array | string, mode = 0o644): TarEntry {
  const body = typeof content === 'string' ? new TextEncoder().encode(content) : content
  return { header: { name, size: body.length, type: 'file', mode, mtime: EPOCH, uid: 0, gid: 0 }, body }
}

function directory(name: string, mode = 0o755): TarEntry {
  return { header: { name, size: 0, type: 'directory', mode, mtime: EPOCH, uid: 0, gid: 0 } }
}

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex')
const blobPath = (descriptor: Descriptor) => `blobs/${descriptor.digest.replace(':', '/')}`
