import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const run = promisify(execFile)
const planted: string[] = []

afterEach(async () => {
  for (const dir of planted.splice(0)) await rm(dir, { recursive: true, force: true })
})

/** Puts a file into a layer and asks the checker about it. */
async function check(layer: string, source: string): Promise<string> {
  const dir = await mkdtemp(join(root, layer, 'planted-'))
  planted.push(dir)
  await writeFile(join(dir, 'violation.ts'), source)
  const target = `${layer}/${basename(dir)}/violation.ts`
  return await run(
    process.execPath,
    [join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs'), target, '--output-type', 'err'],
    { cwd: root },
  ).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  )
}

describe('the layers', () => {
  it('let a layer import what is below it', async () => {
    expect(await check('electron/store', "export { systemClock } from '../../base/clock.ts'\n")).toContain('no dependency violations')
  })

  it.each([
    ['electron/base', "export { notFound } from '../../machinery/status.ts'\n", 'layer-base'],
    ['electron/store', "export { readBody } from '../../client/bytes.ts'\n", 'layer-store'],
    ['electron/controllers', "export { prefixRange } from '../../store/store.ts'\n", 'layer-controllers'],
    ['electron/agent', "export { describeFailure } from '../../plane/face/describe.ts'\n", 'layer-agent'],
    ['renderer', "export { prefixRange } from '../../electron/store/store.ts'\n", 'layer-renderer'],
    ['electron/plane', "export { app } from 'electron'\n", 'only-the-shell-imports-electron'],
  ])('refuse an upward import from %s', async (layer, source, rule) => {
    expect(await check(layer, source)).toContain(`error ${rule}:`)
  })

  it('refuse a test’s parts in the product', async () => {
    expect(await check('electron/controllers', "export { FakeClock } from '../../base/fake-clock.ts'\n")).toContain(
      'error no-tests-in-product:',
    )
  })
})
