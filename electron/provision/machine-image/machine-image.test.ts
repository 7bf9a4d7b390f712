import { describe, expect, it } from 'vitest'
import { cpioArchive } from './cpio.ts'
import { modulesInOrder } from './initrd.ts'
import { machineImagesDir } from './images.ts'
import { imageRecipe, recipeDigest } from './recipe.ts'
import { imageBuildSupport } from './support.ts'

describe('the recipe of the machine image', () => {
  it('names the same image as long as nothing of it changes', () => {
    const recipe = imageRecipe('amd64')
    expect(recipeDigest(recipe, ['a'])).toBe(recipeDigest(imageRecipe('amd64'), ['a']))
    expect(recipeDigest(recipe, ['a'])).toMatch(/^[0-9a-f]{16}$/)
    const others = [
      recipeDigest(recipe, ['b']),
      recipeDigest(imageRecipe('arm64'), ['a']),
      recipeDigest({ ...recipe, packages: [...recipe.packages, 'vim'] }, ['a']),
      recipeDigest({ ...recipe, overlay: [...recipe.overlay, { path: 'etc/x', content: '' }] }, ['a']),
    ]
    expect(new Set([...others, recipeDigest(recipe, ['a'])]).size).toBe(5)
  })

  it('lays each file at a place of its own, relative to the root', () => {
    const paths = imageRecipe('amd64').overlay.map(({ path }) => path)
    expect(new Set(paths).size).toBe(paths.length)
    expect(paths.filter((path) => path.startsWith('/'))).toEqual([])
  })

  it('lets no password in, and no key before the machine is told one', () => {
    const { overlay } = imageRecipe('amd64')
    expect(overlay.some(({ path }) => path.includes('authorized_keys'))).toBe(false)
    expect(overlay).toContainEqual(expect.objectContaining({ content: expect.stringContaining('PasswordAuthentication no') as string }))
  })
})

describe('the initial RAM disk', () => {
  const DEP = [
    'kernel/drivers/block/virtio_blk.ko: kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko',
    'kernel/drivers/virtio/virtio.ko: kernel/drivers/virtio/virtio_ring.ko',
    'kernel/drivers/virtio/virtio_ring.ko:',
    'kernel/crypto/crc32c-generic.ko.xz:',
  ].join('\n')

  it('loads what a module needs before it, and nothing twice', () => {
    expect(modulesInOrder(DEP, ['virtio', 'virtio_blk', 'crc32c_generic'])).toEqual([
      'kernel/drivers/virtio/virtio_ring.ko',
      'kernel/drivers/virtio/virtio.ko',
      'kernel/drivers/block/virtio_blk.ko',
      'kernel/crypto/crc32c-generic.ko.xz',
    ])
  })

  it('takes what has no file for built into the kernel', () => {
    expect(modulesInOrder(DEP, ['virtio_pci'])).toEqual([])
  })

  it('is an archive of the form newc, every part at a multiple of four bytes', () => {
    const archive = cpioArchive([
      { path: 'bin', type: 'directory' },
      { path: 'bin/a', type: 'file', mode: 0o755, content: Buffer.from('12345') },
      { path: 'dev/console', type: 'character', major: 5, minor: 1 },
    ])
    expect(members(archive)).toEqual([
      { path: 'bin', mode: 0o040755, size: 0, device: [0, 0], content: '' },
      { path: 'bin/a', mode: 0o100755, size: 5, device: [0, 0], content: '12345' },
      { path: 'dev/console', mode: 0o020600, size: 0, device: [5, 1], content: '' },
      { path: 'TRAILER!!!', mode: 0, size: 0, device: [0, 0], content: '' },
    ])
  })
})

/** Reads an archive back, by cpio(5). */
function members(archive: Buffer) {
  const out = []
  for (let at = 0; at < archive.length;) {
    expect(archive.toString('latin1', at, at + 6)).toBe('070701')
    const field = (index: number) => Number.parseInt(archive.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16)
    const [mode, size, name] = [field(1), field(6), field(11)]
    const path = archive.toString('utf8', at + 110, at + 110 + name - 1)
    const start = Math.ceil((at + 110 + name) / 4) * 4
    out.push({ path, mode, size, device: [field(9), field(10)], content: archive.toString('utf8', start, start + size) })
    at = Math.ceil((start + size) / 4) * 4
  }
  return out
}

describe('building', () => {
  const tools = (missing: readonly string[], more: { platform?: NodeJS.Platform; uid?: number } = {}) => ({
    platform: 'linux' as const,
    uid: 0,
    ...more,
    exists: (path: string) => !missing.includes(path.split('/').at(-1) ?? ''),
  })

  it('is possible where everything is there', () => {
    expect(imageBuildSupport(tools([]))).toBeNull()
    expect(imageBuildSupport(tools(['newuidmap']))).toBeNull()
  })

  it('names what is missing, and the packages that have it', () => {
    expect(imageBuildSupport(tools(['mmdebstrap', 'mke2fs']))).toMatchObject({
      code: 'MISSING_REQUIREMENT',
      why: 'It lacks mmdebstrap, mke2fs.',
      next: expect.stringContaining('apt-get install mmdebstrap e2fsprogs.') as string,
    })
  })

  it('needs the programs for user namespaces without root', () => {
    expect(imageBuildSupport(tools(['newuidmap'], { uid: 1000 }))?.why).toBe('It lacks newuidmap.')
  })

  it('sends people elsewhere to cloud images', () => {
    expect(imageBuildSupport(tools([], { platform: 'darwin' }))).toMatchObject({ code: 'UNSUPPORTED' })
  })

  it('keeps images in the state folder, or where several states share them', () => {
    expect(machineImagesDir('/s', {})).toBe('/s/machine-images')
    expect(machineImagesDir('/s', { FLOTILLA_MACHINE_IMAGES: '/shared' })).toBe('/shared')
  })
})
