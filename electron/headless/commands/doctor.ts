import { FlotillaError } from '../../base/errors.ts'
import { diagnose, type Check } from '../../plane/doctor.ts'
import type { Command } from '../command.ts'
import { connectRunning } from '../session.ts'
import { locate } from '../../plane/locations.ts'

/** What a plane that runs sees, its machines too; null if none runs. */
async function ofRunning(stateDir: string): Promise<Check[] | null> {
  const running = await connectRunning(stateDir).catch((error: unknown) => {
    if (error instanceof FlotillaError && error.code === 'PLANE_UNREACHABLE') return null
    throw error
  })
  if (!running) return null
  using caller = running
  return await caller.call('app.doctor', undefined)
}

const MARKS = { ok: '✓', warn: '!', fail: '✗' }

export const doctor: Command = {
  name: 'doctor',
  usage: '[--state DIR] [--json]',
  summary:
    'Looks at this computer and the state folder, and if a plane runs on it at its machines, and says what is wrong and what to do. Ends with 0 when all is well, 3 when this computer lacks something, 31 when a machine does.',
  async run({ output, stateDir, entry }) {
    const checks = (await ofRunning(stateDir)) ?? (await diagnose({ stateDir, ...locate(entry) }))
    const lines = checks.flatMap((c) => [`${MARKS[c.state]} ${c.name}: ${c.found}`, ...(c.advice ? [`    ${c.advice}`] : [])])
    output.result(checks, lines.join('\n'))
    const bad = checks.filter((c) => c.state === 'fail')
    if (bad.length) {
      const isHere = bad.some(({ name }) => !name.includes(': '))
      throw new FlotillaError(isHere ? 'MISSING_REQUIREMENT' : 'PREFLIGHT_FAILED', {
        what: `${bad.length} of ${checks.length} checks failed.`,
        why: `${bad.map((c) => c.name).join(', ')}.`,
        next: 'Follow the advice below each.',
      })
    }
  },
}
