/** Looks into an image archive (what `docker save`, `podman save`, `skopeo` or `ctr export` wrote) before it is sent anywhere. */
import type { Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { createTarDecoder, type ParsedTarEntry } from 'modern-tar'
import { FlotillaError, messageOf } from '../../base/errors.ts'

export interface ArchiveContent {
  readonly format: 'oci' | 'docker'
  /** The names under which its images will be known: "docker.io/library/web:2". Empty if the archive names none. */
  readonly references: readonly string[]
}

interface DockerManifest {
  RepoTags?: string[] | null
}

interface OciIndex {
  manifests?: { annotations?: Record<string, string> }[]
}

/** An index or manifest is small; more than this is something else. */
const JSON_LIMIT = 4 << 20

/** Reads a tar to its end. Throws FlotillaError IMAGE_IMPORT_FAILED if it is no image archive. */
export async function readArchive(tar: AsyncIterable<Uint8Array>): Promise<ArchiveContent> {
  const found = new Map<string, unknown>()
  let entries = 0
  try {
    const decoder = createTarDecoder({ strict: true })
    const feeding = feed(tar, decoder.writable)
    feeding.catch(() => undefined)
    for await (const entry of decoder.readable as unknown as AsyncIterable<ParsedTarEntry>) {
      entries++
      const name = entry.header.name.replace(/^\.\//, '')
      if (['index.json', 'manifest.json', 'oci-layout'].includes(name) && entry.header.size < JSON_LIMIT)
        found.set(name, JSON.parse(await new Response(entry.body).text()))
      else await entry.body.cancel()
    }
    await feeding
  } catch (error) {
    throw notAnArchive(entries ? `It is damaged: ${messageOf(error)}.` : 'It is not a tar file.', error)
  }
  if (found.has('oci-layout') && found.has('index.json'))
    return { format: 'oci', references: ociReferences(found.get('index.json') as OciIndex, found.get('manifest.json')) }
  if (found.has('manifest.json')) return { format: 'docker', references: dockerReferences(found.get('manifest.json')) }
  throw notAnArchive('It is a tar file without an index.json or manifest.json.')
}

async function feed(source: AsyncIterable<Uint8Array>, sink: WritableStream<Uint8Array>): Promise<void> {
  const writer = sink.getWriter()
  try {
    for await (const chunk of source) await writer.write(chunk)
    await writer.close()
  } catch (error) {
    await writer.abort(error).catch(() => undefined)
    throw error
  }
}

function dockerReferences(manifest: unknown): string[] {
  if (!Array.isArray(manifest)) throw notAnArchive('Its manifest.json is not a list.')
  return (manifest as DockerManifest[]).flatMap((image) => image.RepoTags ?? []).map(fullReference)
}

function ociReferences(index: OciIndex, dockerManifest: unknown): string[] {
  const named = (index.manifests ?? []).flatMap((manifest) => {
    const full = manifest.annotations?.['io.containerd.image.name']
    const ref = manifest.annotations?.['org.opencontainers.image.ref.name']
    // A ref.name without a repository ("1.2") names nothing by itself.
    return full ? [full] : ref?.includes('/') || ref?.includes(':') ? [fullReference(ref)] : []
  })
  if (named.length === 0 && Array.isArray(dockerManifest)) return dockerReferences(dockerManifest)
  return [...new Set(named)]
}

/** The name as containerd stores it: with its registry, as Docker's short names have none. */
export function fullReference(name: string): string {
  const [first = '', ...rest] = name.split('/')
  if (rest.length === 0) return `docker.io/library/${name}`
  const isRegistry = first.includes('.') || first.includes(':') || first === 'localhost'
  return isRegistry ? name : `docker.io/${name}`
}

function notAnArchive(why: string, cause?: unknown): FlotillaError {
  return new FlotillaError('IMAGE_IMPORT_FAILED', {
    what: 'This file is not an image archive.',
    why,
    next: 'Make one with "docker save NAME:TAG -o image.tar" or "skopeo copy … oci-archive:image.tar".',
    cause,
  })
}

/** The decompressor for a file that begins with these bytes; null if it is not compressed in a way that is known. */
export function decompressor(start: Uint8Array): (Readable & NodeJS.WritableStream) | null {
  if (start[0] === 0x1f && start[1] === 0x8b) return createGunzip()
  if (start[0] === 0x28 && start[1] === 0xb5 && start[2] === 0x2f && start[3] === 0xfd) return createZstdDecompress()
  return null
}
