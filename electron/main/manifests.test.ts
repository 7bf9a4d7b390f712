import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readManifest } from './manifests.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'flotilla-manifest-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

describe('a manifest', () => {
  it('is read whole', async () => {
    writeFileSync(join(dir, 'web.yaml'), 'kind: Pod\n')
    expect(await readManifest(join(dir, 'web.yaml'))).toEqual({ type: 'manifest', name: 'web.yaml', text: 'kind: Pod\n' })
  })

  it('is refused where it is too large, a folder, or not there', async () => {
    writeFileSync(join(dir, 'large.yaml'), Buffer.alloc(4 * 2 ** 20 + 1, 'x'))
    expect(await readManifest(join(dir, 'large.yaml'))).toMatchObject({ type: 'refused', key: 'file.large' })
    expect(await readManifest(dir)).toMatchObject({ type: 'refused', key: 'file.unreadable' })
    expect(await readManifest(join(dir, 'none.yaml'))).toMatchObject({ type: 'refused', name: 'none.yaml' })
  })
})
