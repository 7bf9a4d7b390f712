/** A window that dies or hangs is shown again; the plane is in a thread of another process and goes on. */
import { dialog, type BrowserWindow } from 'electron'
import type { Clock } from '../base/clock.ts'
import { IPC, type Notice } from '../contracts/shell.ts'
import type { Translate } from './texts/texts.ts'

/** So many faults within a minute, and the person is asked before the next try. */
const TOO_MANY = 3
const WITHIN = 60_000

export function mendFaults(window: BrowserWindow, deps: { clock: Clock; text: () => Translate }): void {
  const { webContents } = window
  let faults: number[] = []
  let asking = false

  const show = () => {
    const notice: Notice = 'window-restored'
    webContents.once('did-finish-load', () => webContents.send(IPC.notice, notice))
    webContents.reload()
  }
  /** One question at a time; whether the person wants the window loaded anew, or null if it is to be left as it is. */
  const ask = async (
    message: string,
    detail: string,
    buttons: readonly { text: string; answer: boolean | null }[],
  ): Promise<boolean | null> => {
    asking = true
    const options = {
      type: 'warning' as const,
      message,
      detail,
      buttons: buttons.map(({ text }) => text),
      defaultId: 0,
      cancelId: buttons.length - 1,
    }
    const { response } = await dialog.showMessageBox(options)
    asking = false
    return buttons[response]?.answer ?? null
  }
  const carryOut = (answer: boolean | null) => {
    if (window.isDestroyed()) return
    if (answer === true) show()
    else if (answer === false) window.destroy()
  }

  webContents.on('render-process-gone', (_event, { reason }) => {
    if (reason === 'clean-exit' || window.isDestroyed()) return
    const now = deps.clock.monotonic()
    faults = [...faults.filter((at) => now - at < WITHIN), now]
    if (faults.length < TOO_MANY) return show()
    const text = deps.text()
    const buttons = [
      { text: text('plane.tryAgain'), answer: true },
      { text: text('hung.close'), answer: false },
    ]
    void ask(text('window.gone.title'), text('window.gone.text', { n: faults.length }), buttons).then(carryOut)
    faults = []
  })
  window.on('unresponsive', () => {
    if (asking) return
    const text = deps.text()
    const buttons = [
      { text: text('hung.wait'), answer: null },
      { text: text('hung.reload'), answer: true },
      { text: text('hung.close'), answer: false },
    ]
    void ask(text('hung.title'), text('hung.text'), buttons).then(carryOut)
  })
}
