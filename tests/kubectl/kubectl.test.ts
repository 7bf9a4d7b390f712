/**
 * kubectl, version by version, prints what Kubernetes' own server would make it print. The transcripts in `cases` say what that is; with
 * RECORD=1 they are written anew from what is printed, to be judged before they are kept.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readAreas, record, runAreas } from './lib/areas.ts'
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
  beforeAll(async () => {
    await using lab: Lab = await startLab()
    outputs = await runAreas(areas, kubectl, lab, learns)
    printed.set(minor, outputs)
  }, 15 * 60_000)

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
