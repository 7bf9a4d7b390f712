import { createHash } from 'node:crypto'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { unpackTar } from 'modern-tar'
import { describe, expect, it } from 'vitest'
import { PAUSE_IMAGE } from '../../api/infra/v1alpha1/agent-config.ts'
import { decompressor, fullReference, readArchive } from './archive-reader.ts'
import { imageArchive, type ImageSpec } from './archive.ts'
import { findBusybox, staticArchitecture } from './busybox.ts'
import { DEMO_IMAGE, demoArchive } from './demo-image.ts'
import { staticElf } from './elf.ts'
import { pauseArchive } from './pause-image.ts'
import { pauseProgram } from './pause-program.ts'

const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes)

async function files(archive: Uint8Array): Promise<Map<string, Uint8Array>> {
  return new Map((await unpackTar(archive, { strict: true })).map((entry) => [entry.header.name, entry.data ?? new Uint8Array()]))
}

async function* chunks(bytes: Uint8Array, size = 700): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const image: ImageSpec = {
  architecture: 'amd64',
  entries: [
    { path: 'a/b/run', mode: 0o755, content: 'x' },
    { path: 'a/link', link: 'b/run' },
    { path: 'tmp', directory: true, mode: 0o1777 },
  ],
  entrypoint: ['/a/b/run'],
  args: ['by', 'default'],
  ports: ['80/tcp'],
}

describe('imageArchive', () => {
  it('names every blob by its digest, and the config by the digests of the layers', async () => {
    const entries = await files(await imageArchive('example.org/a:1', [image]))
    for (const [name, content] of entries) {
      const digest = /^blobs\/sha256\/(.{64})$/.exec(name)?.[1]
      if (digest) expect(createHash('sha256').update(content).digest('hex')).toBe(digest)
    }
    const index = JSON.parse(text(entries.get('index.json'))) as { manifests: { digest: string; annotations: Record<string, string> }[] }
    expect(index.manifests[0]?.annotations['io.containerd.image.name']).toBe('example.org/a:1')
    const blob = (digest: string) => entries.get(`blobs/${digest.replace(':', '/')}`)
    const manifest = JSON.parse(text(blob(index.manifests[0]?.digest ?? ''))) as {
      config: { digest: string }
      layers: { digest: string }[]
    }
    const config = JSON.parse(text(blob(manifest.config.digest))) as { rootfs: { diff_ids: string[] }; config: object }
    expect(config.rootfs.diff_ids).toEqual(manifest.layers.map((layer) => layer.digest))
    expect(config.config).toMatchObject({ ExposedPorts: { '80/tcp': {} }, Entrypoint: ['/a/b/run'], Cmd: ['by', 'default'] })
  })

  it('puts parent folders before what is in them, each once, with modes and links kept', async () => {
    const entries = await files(await imageArchive('example.org/a:1', [image]))
    const manifest = JSON.parse(text(entries.get('manifest.json'))) as { Layers: string[] }[]
    const layer = await unpackTar(entries.get(manifest[0]?.Layers[0] ?? '') ?? new Uint8Array())
    expect(layer.map(({ header }) => [header.name, header.mode?.toString(8), header.linkname ?? ''])).toEqual([
      ['a/', '755', ''],
      ['a/b/', '755', ''],
      ['a/b/run', '755', ''],
      ['a/link', '777', 'b/run'],
      ['tmp/', '1777', ''],
    ])
  })

  it('puts several architectures under one index', async () => {
    const archive = await imageArchive('example.org/a:1', [image, { ...image, architecture: 'arm64' }])
    const entries = await files(archive)
    const index = JSON.parse(text(entries.get('index.json'))) as { manifests: { mediaType: string; digest: string }[] }
    expect(index.manifests).toHaveLength(1)
    const inner = JSON.parse(text(entries.get(`blobs/${index.manifests[0]?.digest.replace(':', '/')}`))) as {
      manifests: { platform: { architecture: string } }[]
    }
    expect(inner.manifests.map((m) => m.platform.architecture)).toEqual(['amd64', 'arm64'])
  })

  it('makes the same bytes each time', async () => {
    expect(await pauseArchive()).toEqual(await pauseArchive())
  })
})

describe('the pause program', () => {
  it.each(['amd64', 'arm64'] as const)('is a static %s executable that starts inside its one segment', (architecture) => {
    const program = pauseProgram(architecture)
    const view = new DataView(program.buffer)
    expect(staticArchitecture(program)).toBe(architecture)
    const [address, fileSize] = [view.getBigUint64(64 + 16, true), view.getBigUint64(64 + 32, true)]
    const entry = view.getBigUint64(24, true)
    expect(fileSize).toBe(BigInt(program.length))
    expect(entry - address).toBe(176n)
    expect(view.getUint32(64 + 4, true)).toBe(5)
  })

  it('jumps only to instructions of its own', () => {
    const code = pauseProgram('arm64').subarray(176)
    const view = new DataView(code.buffer, code.byteOffset, code.byteLength)
    let jumps = 0
    for (let at = 0; at < code.length; at += 4) {
      const word = view.getUint32(at, true)
      const far = word >>> 26 === 5 ? (word << 6) >> 6 : word >>> 24 === 0x54 ? (word << 8) >> 13 : null
      if (far === null) continue
      jumps++
      expect(at + far * 4).toBeGreaterThanOrEqual(0)
      expect(at + far * 4).toBeLessThan(code.length)
    }
    expect(jumps).toBe(4)
  })
})

describe('readArchive', () => {
  it('finds the names in what Flotilla writes', async () => {
    expect(await readArchive(chunks(await pauseArchive()))).toEqual({ format: 'oci', references: [PAUSE_IMAGE] })
    const demo = await demoArchive('arm64', staticElf('arm64', Uint8Array.of(0)))
    expect(await readArchive(chunks(demo))).toEqual({ format: 'oci', references: [DEMO_IMAGE] })
  })

  it('finds the names in what older docker writes', async () => {
    const { packTar } = await import('modern-tar')
    const body = JSON.stringify([{ Config: 'x.json', RepoTags: ['web:2', 'team/web:2', 'ghcr.io/team/web:2'], Layers: [] }])
    const archive = await packTar([{ header: { name: './manifest.json', size: body.length }, body }])
    expect(await readArchive(chunks(archive))).toEqual({
      format: 'docker',
      references: ['docker.io/library/web:2', 'docker.io/team/web:2', 'ghcr.io/team/web:2'],
    })
  })

  it('says what is wrong with other files', async () => {
    const { packTar } = await import('modern-tar')
    const other = await packTar([{ header: { name: 'notes.txt', size: 2 }, body: 'hi' }])
    await expect(readArchive(chunks(other))).rejects.toMatchObject({
      code: 'IMAGE_IMPORT_FAILED',
      why: expect.stringContaining('without an index.json') as string,
    })
    await expect(readArchive(chunks(new Uint8Array(2048).fill(65)))).rejects.toMatchObject({ why: 'It is not a tar file.' })
    const cut = (await pauseArchive()).subarray(0, 5000)
    await expect(readArchive(chunks(cut))).rejects.toMatchObject({ why: expect.stringContaining('damaged') as string })
  })

  it('knows registries from folders of Docker Hub', () => {
    expect(['web', 'a/b:1', 'localhost/x', 'host:5000/x:1'].map(fullReference)).toEqual([
      'docker.io/library/web',
      'docker.io/a/b:1',
      'localhost/x',
      'host:5000/x:1',
    ])
  })
})

describe('decompressor', () => {
  it('knows gzip and zstd by their first bytes, and nothing else', async () => {
    for (const packed of [gzipSync('hello'), zstdCompressSync('hello')]) {
      const stream = decompressor(packed)
      if (!stream) throw new Error('not recognised')
      stream.end(packed)
      expect(Buffer.concat(await stream.toArray()).toString()).toBe('hello')
    }
    expect(decompressor(new Uint8Array(10))).toBeNull()
  })
})

describe('findBusybox', () => {
  it('passes over what is missing, a script, or built for another machine', async () => {
    expect(await findBusybox('arm64', ['/does/not/exist', import.meta.filename])).toBeNull()
    expect(staticArchitecture(new TextEncoder().encode('#!/bin/sh\n'.padEnd(100)))).toBeNull()
  })
})
