import { describe, expect, it } from 'vitest'
import { scriptedShell } from '../testing/local-shell.ts'
import { loadBaseImages } from './base-images.ts'
import { BUSYBOX_PATHS } from './busybox.ts'
import { imagesOf, importImage } from './import.ts'

const machine = 'moth'

describe('importImage', () => {
  it('asks our containerd, in the namespace of CRI, and returns the names that it printed', async () => {
    const stdout = `unpacking docker.io/library/web:2 (sha256:0af)...done
unpacking ghcr.io/team/web:2 (sha256:0af)...done
`
    const shell = scriptedShell({ stdout })
    expect(await importImage(shell, Buffer.from('tar'), { machine })).toEqual(['docker.io/library/web:2', 'ghcr.io/team/web:2'])
    expect(shell.scripts).toEqual(['ctr -a /run/flotilla/containerd.sock -n k8s.io images import -'])
    expect(shell.inputs).toEqual(['tar'])
  })

  it.each([
    ['ctr: write /var/lib/x: no space left on device', 'DISK_FULL', /disk is full/],
    [
      'ctr: failed to dial "/run/flotilla/containerd.sock": connection error: connect: connection refused',
      'IMAGE_IMPORT_FAILED',
      /does not answer/,
    ],
    ['ctr: image might be filtered out', 'IMAGE_IMPORT_FAILED', /processor of this machine/],
    ['ctr: unexpected EOF', 'IMAGE_IMPORT_FAILED', /incomplete or damaged/],
    ['ctr: unrecognized image format', 'IMAGE_IMPORT_FAILED', /incomplete or damaged/],
    ['ctr: something new', 'IMAGE_IMPORT_FAILED', /^containerd said: something new\.$/],
    ['', 'IMAGE_IMPORT_FAILED', /ended with code 1/],
  ])('makes sense of "%s"', async (stderr, code, why) => {
    const failing = importImage(scriptedShell({ code: 1, stderr }), Buffer.from('tar'), { machine })
    await expect(failing).rejects.toMatchObject({
      code,
      why: expect.stringMatching(why) as string,
      next: expect.stringMatching(/\w/) as string,
    })
  })
})

describe('imagesOf', () => {
  it('gives the very names', async () => {
    const there = await imagesOf(scriptedShell({ stdout: 'flotilla.local/pause:10\nflotilla.local/demo:1\n' }))
    expect([...there]).toEqual(['flotilla.local/pause:10', 'flotilla.local/demo:1'])
  })
})

describe('loadBaseImages', () => {
  it('imports nothing that is there', async () => {
    const shell = scriptedShell({ stdout: 'flotilla.local/pause:1\nflotilla.local/demo:1\n' })
    const options = { machine, architecture: 'arm64' as const, signal: new AbortController().signal, detail: () => undefined }
    expect(await loadBaseImages(shell, options)).toEqual(['flotilla.local/pause:1', 'flotilla.local/demo:1'])
    expect(shell.scripts.filter((script) => script.includes('import'))).toEqual([])
  })

  it('does without the demo image where no static busybox is found', async () => {
    const shell = scriptedShell()
    const options = { machine, architecture: 'arm64' as const, signal: new AbortController().signal, detail: () => undefined }
    expect(await loadBaseImages(shell, options)).toEqual(['flotilla.local/pause:1'])
    expect(shell.scripts.at(-1)).toContain(BUSYBOX_PATHS[0])
  })
})
