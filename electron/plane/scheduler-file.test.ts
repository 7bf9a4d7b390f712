import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readSchedulerFile } from './scheduler-file.ts'

describe('scheduler.yaml', () => {
  let dir = ''
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'flotilla-scheduler-file-'))
  })
  afterEach(() => rm(dir, { recursive: true, force: true }))
  const reading = async (text: string) => {
    await writeFile(join(dir, 'scheduler.yaml'), text)
    return readSchedulerFile(join(dir, 'scheduler.yaml'))
  }
  const HEAD = 'apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n'

  it('need not be there', async () => {
    expect(await readSchedulerFile(join(dir, 'scheduler.yaml'))).toBeNull()
  })

  it('says which profiles and extenders there are', async () => {
    const read = await reading(
      `${HEAD}profiles: [{ schedulerName: packing }]\nextenders: [{ urlPrefix: "http://127.0.0.1:1", filterVerb: f }]\n`,
    )
    expect(read?.profiles).toMatchObject([{ schedulerName: 'packing' }])
    expect(read?.extenders).toMatchObject([{ urlPrefix: 'http://127.0.0.1:1', filterVerb: 'f' }])
  })

  it('is refused with its path where it cannot be read or honoured', async () => {
    await expect(reading(`${HEAD}profiles: [`)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      what: expect.stringContaining(dir) as string,
    })
    await expect(reading(`${HEAD}podInitialBackoffSeconds: 1\n`)).rejects.toThrow(/podInitialBackoffSeconds is not understood/)
  })
})
