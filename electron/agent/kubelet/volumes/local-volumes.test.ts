import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { LocalVolumes } from './local-volumes.ts'

let dir: string
let volumes: LocalVolumes
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'local-volumes-'))
  volumes = new LocalVolumes(dir)
})
afterEach(() => rm(dir, { recursive: true }))

it('makes a folder for everyone, once', async () => {
  const { path } = await volumes.make('pvc-1')
  expect((await stat(path)).mode & 0o777).toBe(0o777)
  await writeFile(join(path, 'kept'), 'x')
  expect(await volumes.make('pvc-1')).toEqual({ path })
  expect(await readFile(join(path, 'kept'), 'utf8')).toBe('x')
})

it('removes a folder with all that is in it, and none twice', async () => {
  const { path } = await volumes.make('pvc-1')
  await writeFile(join(path, 'gone'), 'x')
  await volumes.make('pvc-2')
  await volumes.remove('pvc-1')
  await volumes.remove('pvc-1')
  expect(await readdir(join(dir, 'volumes'))).toEqual(['pvc-2'])
})

it.each(['', '.', '..', '../pods', 'a/b', '/etc', 'A'])('takes %j for no volume', async (name) => {
  await expect(volumes.make(name)).rejects.toMatchObject({ status: 400 })
  await expect(volumes.remove(name)).rejects.toMatchObject({ status: 400 })
})
