import { describe } from 'vitest'
import { compactionSuite } from './compaction-suite.ts'
import { leaseSuite } from './lease-suite.ts'
import { leaseTimeSuite } from './lease-time-suite.ts'
import { lifeSuite } from './life-suite.ts'
import { maintenanceSuite } from './maintenance-suite.ts'
import { propertySuite } from './property-suite.ts'
import { rangeSuite } from './range-suite.ts'
import type { OpenSubject, Traits } from './subject.ts'
import { txnSuite } from './txn-suite.ts'
import { watchSuite } from './watch-suite.ts'

/**
 * What every engine of the store must do (`store.ts`). `open` gives an empty store each time. Engines that keep a history also pass
 * `historySuite`.
 */
export function storeSuite(name: string, open: OpenSubject, options: { runs?: number; traits?: Traits } = {}): void {
  const { runs = 100, traits = { inOrder: true, keepsCompactedDeletes: true } } = options
  describe(`${name} store`, () => {
    rangeSuite(open)
    txnSuite(open)
    watchSuite(open)
    compactionSuite(open, traits)
    leaseSuite(open)
    leaseTimeSuite(open)
    lifeSuite(open)
    maintenanceSuite(open)
    propertySuite(open, runs, traits)
  })
}
