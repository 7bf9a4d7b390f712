import {
  BrowserWindow,
  dialog,
  ipcMain,
  nativeTheme,
  shell,
  type IpcMainEvent,
  type IpcMainInvokeEvent,
  type OpenDialogOptions,
} from 'electron'
import * as v from 'valibot'
import type { Port } from '../contracts/protocol.ts'
import { IPC, type DesktopChange, type DesktopState } from '../contracts/shell.ts'
import { isOurs, isWebAddress } from './addresses.ts'
import { isLanguage } from './desktop-settings.ts'
import { createRelay } from './relay.ts'
import type { Language, Translate } from './texts/texts.ts'

/** What pages may ask of the desktop. */
export interface DesktopCalls {
  readonly connect: () => Port
  readonly text: () => Translate
  readonly speak: (language: Language) => void
  readonly state: () => DesktopState
  readonly change: (change: DesktopChange) => void
  readonly update: (action: 'check' | 'install') => void
}

const change = v.strictObject({ notifications: v.optional(v.boolean()), openAtLogin: v.optional(v.boolean()) })

function dialogFor(purpose: unknown, text: Translate): OpenDialogOptions {
  if (purpose === 'key') return { title: text('dialog.key'), properties: ['openFile', 'showHiddenFiles'] }
  if (purpose === 'manifest') {
    const filters = [{ name: text('dialog.manifests'), extensions: ['yaml', 'yml', 'json'] }]
    return { title: text('dialog.manifest'), properties: ['openFile'], filters }
  }
  if (purpose !== 'image') throw new Error('unknown purpose')
  return {
    title: text('dialog.image'),
    properties: ['openFile'],
    filters: [{ name: text('dialog.archive'), extensions: ['tar', 'gz', 'tgz'] }],
  }
}

/** Relays the contract between pages and the plane, and answers what needs the desktop; pages of ours only are heard. */
export function answerPages(calls: DesktopCalls): void {
  const relay = createRelay(calls.connect)
  ipcMain.on(IPC.up, (event, connection: unknown, message: unknown) => {
    if (isOurPage(event)) relay(event.sender, connection, message)
  })
  const answer = (channel: string, reply: (arg: unknown, event: IpcMainInvokeEvent) => unknown) =>
    ipcMain.handle(channel, (event, arg: unknown) => {
      if (!isOurPage(event)) throw new Error('refused')
      return reply(arg, event)
    })

  answer(IPC.pickFile, async (purpose, event) => {
    const options = dialogFor(purpose, calls.text())
    const window = BrowserWindow.fromWebContents(event.sender)
    const { canceled, filePaths } = await (window ? dialog.showOpenDialog(window, options) : dialog.showOpenDialog(options))
    return canceled ? null : (filePaths[0] ?? null)
  })
  answer(IPC.openExternal, async (url) => {
    if (typeof url !== 'string' || !isWebAddress(url)) throw new Error('only https addresses are opened')
    await shell.openExternal(url)
  })
  answer(IPC.theme, (theme) => {
    if (theme === 'system' || theme === 'light' || theme === 'dark') nativeTheme.themeSource = theme
  })
  answer(IPC.language, (language) => {
    if (isLanguage(language)) calls.speak(language)
  })
  answer(IPC.getDesktop, () => calls.state())
  answer(IPC.changeDesktop, (wanted) => {
    const { notifications, openAtLogin } = v.parse(change, wanted)
    calls.change({ ...(notifications === undefined ? {} : { notifications }), ...(openAtLogin === undefined ? {} : { openAtLogin }) })
    return calls.state()
  })
  answer(IPC.update, (action) => {
    if (action === 'check' || action === 'install') calls.update(action)
  })
}

/** Only the top frame of a page that we served may speak. */
function isOurPage(event: IpcMainEvent | IpcMainInvokeEvent): boolean {
  const frame = event.senderFrame
  return frame !== null && frame.parent === null && isOurs(frame.url)
}
