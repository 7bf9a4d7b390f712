import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundledHost } from './lab.ts'
import { PLANTED_BUGS } from './planted/bugs.ts'
import { engineOf } from './run/engines.ts'
import { runOnce } from './run/run-once.ts'

/** A bug must show within so many seeds. */
const SEEDS = 12

describe('robustness: an engine with a planted bug', () => {
  let host: Awaited<ReturnType<typeof bundledHost>>
  beforeAll(async () => {
    host = await bundledHost()
  })
  afterAll(() => host[Symbol.dispose]())

  for (const [bug, { engine }] of Object.entries(PLANTED_BUGS)) {
    const lacks = engineOf(`${engine}:${bug}`, '')?.lacks
    it.skipIf(lacks)(`is caught: ${bug}${lacks ? ` (${lacks})` : ''}`, async () => {
      const broken = engineOf(`${engine}:${bug}`, host.script)
      if (!broken) throw new Error(`there is no engine ${engine}:${bug}`)
      for (let seed = 1; seed <= SEEDS; seed++) {
        if ((await runOnce(broken, seed)).violations.length > 0) return
      }
      expect.unreachable(`not caught with ${SEEDS} seeds`)
    })
  }
})
