import type { History } from '../history.ts'
import type { EngineTraits } from '../run/server.ts'
import { Evidence } from './evidence.ts'
import { checkLeases } from './leases.ts'
import { checkOperations } from './operations.ts'
import { checkRefusals } from './refusals.ts'
import { checkUnclaimed } from './unclaimed.ts'
import type { Violation } from './violation.ts'
import { checkWatches } from './watches.ts'

/**
 * Judges a history, of which a watcher of everything saw all: the revisions are one order of all changes, so that linearizability is
 * to be checked one operation at a time: against the state at its revision, and against what was known when it was asked for. `newest`
 * is the store's revision at the end.
 */
export function check(history: History, traits: EngineTraits, newest: number): readonly Violation[] {
  const evidence = new Evidence(history, traits, newest)
  checkOperations(evidence)
  checkRefusals(evidence)
  checkUnclaimed(evidence)
  checkWatches(evidence)
  checkLeases(evidence)
  return evidence.violations
}
