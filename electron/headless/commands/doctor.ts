import { FlotillaError } from '../../base/errors.ts'
import { diagnose } from '../../plane/doctor.ts'
import type { Command } from '../command.ts'
import { locate } from '../../plane/locations.ts'

const MARKS = { ok: '✓', warn: '!', fail: '✗' }

export const doctor: Command = {
  name: 'doctor',
  usage: '[--state DIR] [--json]',
  summary: 'Looks at this computer and the state folder, and says what is missing for what. Needs no running plane.',
  async run({ output, stateDir, entry }) {
    const checks = await diagnose({ stateDir, ...locate(entry) })
    const lines = checks.flatMap((c) => [`${MARKS[c.state]} ${c.name}: ${c.found}`, ...(c.advice ? [`    ${c.advice}`] : [])])
    output.result(checks, lines.join('\n'))
    const bad = checks.filter((c) => c.state === 'fail')
    if (bad.length) {
      throw new FlotillaError('MISSING_REQUIREMENT', {
        what: `${bad.length} of ${checks.length} checks failed.`,
        why: `${bad.map((c) => c.name).join(', ')}.`,
        next: 'Follow the advice below each.',
      })
    }
  },
}
