import { app, dialog } from 'electron'
import type { Clock } from '../base/clock.ts'
import type { FlotillaError } from '../base/errors.ts'
import type { PlaneHost } from '../plane/host.ts'
import { notify } from './notify.ts'

/** A plane that crashes again within this time, in milliseconds, is not started by itself any more. */
const TOO_SOON = 60_000

/**
 * Keeps a plane running until the app quits. One that crashed is started again, and that is told: the app may be all that a laptop in a
 * corner runs. One that cannot start, or crashes again at once, waits for what a person says. Resolves when that is to quit.
 */
export async function keepPlane(launch: () => PlaneHost, clock: Clock): Promise<void> {
  let lastCrash = Number.NEGATIVE_INFINITY
  for (;;) {
    const plane = launch()
    const ran = await plane.ready.then(
      () => true,
      () => false,
    )
    const error = await plane.crashed
    await plane[Symbol.asyncDispose]()
    const steady = ran && clock.monotonic() - lastCrash > TOO_SOON
    lastCrash = clock.monotonic()
    if (steady) notify('The control plane was started again', error.why)
    else if (!(await wantsAnotherTry(error))) return
  }
}

/** Dialogs are there only once the app is ready. */
async function wantsAnotherTry({ what, why, next }: FlotillaError): Promise<boolean> {
  await app.whenReady()
  const { response } = await dialog.showMessageBox({
    type: 'error',
    message: what,
    detail: [why, next].filter(Boolean).join('\n\n'),
    buttons: ['Try again', 'Quit'],
    defaultId: 0,
    cancelId: 1,
  })
  return response === 0
}
