import { app, dialog } from 'electron'
import { sleep, type Clock } from '../base/clock.ts'
import type { FlotillaError } from '../base/errors.ts'
import type { PlaneHost } from '../plane/host.ts'
import type { Translate } from './texts/texts.ts'

/** A plane that ran for so long, in milliseconds, makes earlier crashes forgotten. */
const STEADY = 60_000
/** How long each further start waits, in milliseconds; after the last one a person is asked. */
const WAITS = [0, 1000, 5000]

export interface KeeperOptions {
  readonly launch: () => PlaneHost
  readonly clock: Clock
  readonly text: () => Translate
  /** The plane crashed and is started again. */
  readonly onRestart: (error: FlotillaError) => void
}

/**
 * Keeps a plane running until the app quits. One that crashed is started again, and that is told: the app may be all that a laptop in a
 * corner runs. One that cannot start, or keeps crashing, waits for what a person says. Resolves when that is to quit.
 */
export async function keepPlane({ launch, clock, text, onRestart }: KeeperOptions): Promise<void> {
  for (let crashes = 0; ;) {
    const plane = launch()
    const began = clock.monotonic()
    const ran = await plane.ready.then(
      () => true,
      () => false,
    )
    const error = await plane.crashed
    await plane[Symbol.asyncDispose]()
    if (clock.monotonic() - began > STEADY) crashes = 0
    const wait = ran ? WAITS[crashes++] : undefined
    if (wait !== undefined) {
      onRestart(error)
      await sleep(clock, wait)
    } else if (await wantsAnotherTry(error, text())) crashes = 0
    else return
  }
}

/** Dialogs are there only once the app is ready. */
async function wantsAnotherTry({ what, why, next }: FlotillaError, text: Translate): Promise<boolean> {
  await app.whenReady()
  const { response } = await dialog.showMessageBox({
    type: 'error',
    message: what,
    detail: [why, next].filter(Boolean).join('\n\n'),
    buttons: [text('plane.tryAgain'), text('plane.quit')],
    defaultId: 0,
    cancelId: 1,
  })
  return response === 0
}
