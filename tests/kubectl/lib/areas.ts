/** The areas, from their files, and how they are run: those of the folder `alone` one by one first, then the others side by side. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Lab } from './lab.ts'
import { runArea, type Area } from './session.ts'
import { formatTranscript, isFor, parseTranscript, type Minor, type Output, type Step } from './transcript.ts'
import type { Kubectl } from './versions.ts'

const CASES = join(import.meta.dirname, '../cases')
const LANES = 4

export interface AreaFile extends Area {
  readonly path: string
  /** It looks at the whole cluster, or changes what others use. */
  readonly alone: boolean
}

export function readAreas(only = process.env['AREAS']?.split(',')): AreaFile[] {
  return readdirSync(CASES, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.txt'))
    .sort()
    .map((file) => {
      const path = join(CASES, file)
      return { name: basename(file, '.txt'), path, alone: file.startsWith('alone/'), steps: parseTranscript(readFileSync(path, 'utf8')) }
    })
    .filter(({ name }) => !only || only.includes(name))
}

export async function runAreas(areas: readonly AreaFile[], kubectl: Kubectl, lab: Lab, learns: boolean): Promise<Map<Step, Output>> {
  const outputs = new Map<Step, Output>()
  const run = async (area: Area) => {
    for (const [step, output] of await runArea(area, kubectl, lab, learns)) outputs.set(step, output)
  }
  for (const area of areas.filter(({ alone }) => alone)) await run(area)
  // The longest first, so that no lane is left with it at the end.
  const waiting = areas.filter(({ alone }) => !alone).sort((a, b) => b.steps.length - a.steps.length)
  const lane = async () => {
    for (let area = waiting.shift(); area; area = waiting.shift()) await run(area)
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return outputs
}

/** Writes down what was printed as what is wanted, for a person to judge: the newest version's output, and that of older ones where it differs. */
export function record(areas: readonly AreaFile[], printed: ReadonlyMap<Minor, ReadonlyMap<Step, Output>>): void {
  const minors = [...printed.keys()].sort((a, b) => a - b)
  for (const { path, steps } of areas) {
    const told = steps.map((step): Step => {
      if (step.type !== 'command') return step
      const outputs: { upTo: Minor; output: Output }[] = []
      for (const minor of minors.filter((one) => isFor(step, one))) {
        const output = printed.get(minor)?.get(step)
        if (!output) continue
        const last = outputs.at(-1)
        if (last && JSON.stringify(last.output) === JSON.stringify(output)) last.upTo = minor
        else outputs.push({ upTo: minor, output })
      }
      const newest = outputs.at(-1)
      if (newest) newest.upTo = Infinity
      return newest ? { ...step, outputs } : step
    })
    writeFileSync(path, formatTranscript(told))
  }
}
