import { describe } from 'vitest'
import { compactionSuite } from './compaction-suite.ts'
import { leaseSuite } from './lease-suite.ts'
import { lifeSuite } from './life-suite.ts'
import { propertySuite } from './property-suite.ts'
import { rangeSuite } from './range-suite.ts'
import type { OpenSubject } from './subject.ts'
import { txnSuite } from './txn-suite.ts'
import { watchSuite } from './watch-suite.ts'

/** What every engine of the store must do (`store.ts`). `open` gives an empty store each time. */
export function storeSuite(name: string, open: OpenSubject, options: { runs?: number } = {}): void {
  describe(`${name} store`, () => {
    rangeSuite(open)
    txnSuite(open)
    watchSuite(open)
    compactionSuite(open)
    leaseSuite(open)
    lifeSuite(open)
    propertySuite(open, options.runs ?? 100)
  })
}
