/**
 * kubectl, version by version, prints what Kubernetes' own server would make it print. The transcripts in `cases` say what that is; with
 * RECORD=1 they are written anew from what is printed, to be judged before they are kept.
 */
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readAreas, record, runAreas, type AreaFile } from './lib/areas.ts'
import { startLab, type Lab } from './lib/lab.ts'
import { expected, isFor, type Minor, type Output, type Step } from './lib/transcript.ts'
import { findKubectls } from './lib/versions.ts'

const areas = readAreas()
const { found, lacks } = findKubectls()
const learns = process.env['RECORD'] !== undefined
const printed = new Map<Minor, ReadonlyMap<Step, Output>>()

for (const { name, needs } of lacks) describe.skip(name, () => it(`needs ${needs}`, () => undefined))

describe.each(found)('kubectl 1.$minor', (kubectl) => {
  const { minor } = kubectl
  let outputs: ReadonlyMap<Step, Output> = new Map()
  const run = async (chosen: readonly AreaFile[]) => {
    await using lab: Lab = await startLab()
    return await runAreas(chosen, kubectl, lab, learns)
  }
  const differs = ({ steps }: AreaFile) =>
    steps.some((step) => step.type === 'command' && isFor(step, minor) && !isDeepStrictEqual(outputs.get(step), expected(step, minor)))
  beforeAll(async () => {
    outputs = await run(areas)
    // kubectl itself gives way to nobody who writes between its read and its write: what is really broken fails twice.
    const again = learns ? [] : areas.filter(differs)
    if (again.length) {
      console.warn(`typed once more with kubectl 1.${minor}: ${again.map(({ name }) => name).join(', ')}`)
      outputs = new Map([...outputs, ...(await run(again))])
    }
    printed.set(minor, outputs)
  }, 20 * 60_000)

  describe.each(areas)('$name', ({ steps }) => {
    const commands = steps.filter((step) => step.type === 'command').filter((step) => isFor(step, minor))
    it.each(commands)('$text', (command) => {
      expect(outputs.get(command)).toEqual(expected(command, minor))
    })
  })
})

afterAll(() => {
  if (learns) record(areas, printed)
})
