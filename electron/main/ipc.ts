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
import type { Port } from '../contracts/protocol.ts'
import { IPC } from '../contracts/shell.ts'
import { createRelay } from './relay.ts'
import { isOurs, isWebAddress } from './window.ts'

const DIALOGS = {
  key: (): OpenDialogOptions => ({ title: 'Private key file', properties: ['openFile', 'showHiddenFiles'] }),
  manifest: (): OpenDialogOptions => ({
    title: 'Manifest',
    properties: ['openFile'],
    filters: [{ name: 'Manifests', extensions: ['yaml', 'yml', 'json'] }],
  }),
  image: (): OpenDialogOptions => ({
    title: 'Image archive',
    properties: ['openFile'],
    filters: [{ name: 'Archives', extensions: ['tar', 'gz', 'tgz'] }],
  }),
}

/** Relays the contract between pages and the plane, and answers what needs the desktop. */
export function relayContract(connect: () => Port): void {
  const relay = createRelay(connect)
  ipcMain.on(IPC.up, (event, connection: unknown, message: unknown) => {
    if (isOurPage(event)) relay(event.sender, connection, message)
  })
  ipcMain.handle(IPC.pickFile, async (event, purpose: unknown) => {
    refuseOthers(event)
    if (typeof purpose !== 'string' || !Object.hasOwn(DIALOGS, purpose)) throw new Error('unknown purpose')
    const options = DIALOGS[purpose as keyof typeof DIALOGS]()
    const window = BrowserWindow.fromWebContents(event.sender)
    const { canceled, filePaths } = await (window ? dialog.showOpenDialog(window, options) : dialog.showOpenDialog(options))
    return canceled ? null : (filePaths[0] ?? null)
  })
  ipcMain.handle(IPC.openExternal, async (event, url: unknown) => {
    refuseOthers(event)
    if (typeof url !== 'string' || !isWebAddress(url)) throw new Error('only http and https addresses are opened')
    await shell.openExternal(url)
  })
  ipcMain.handle(IPC.theme, (event, theme: unknown) => {
    refuseOthers(event)
    if (theme === 'system' || theme === 'light' || theme === 'dark') nativeTheme.themeSource = theme
  })
}

/** Only the top frame of a page that we served may speak. */
function isOurPage(event: IpcMainEvent | IpcMainInvokeEvent): boolean {
  const frame = event.senderFrame
  return frame !== null && frame.parent === null && isOurs(frame.url)
}

function refuseOthers(event: IpcMainInvokeEvent): void {
  if (!isOurPage(event)) throw new Error('refused')
}
