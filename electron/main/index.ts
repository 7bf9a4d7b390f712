/** The desktop app: windows, menu, tray and one relay. Everything else is the plane's, in its own thread. */
import { join } from 'node:path'
import { app, BrowserWindow, dialog, Menu, type Tray } from 'electron'
import { FlotillaError, messageOf } from '../base/errors.ts'
import { IPC, type MenuCommand } from '../contracts/shell.ts'
import { startPlane, type PlaneHost } from '../plane/host.ts'
import { defaultStateDir, locate, placesOf } from '../plane/locations.ts'
import { declareAppScheme, serveApp } from './app-protocol.ts'
import { relayContract } from './ipc.ts'
import { buildMenu } from './menu.ts'
import { createTray } from './tray.ts'
import { guardSession, openWindow } from './window.ts'

const places = locate(import.meta.filename)
const stateDir = app.commandLine.getSwitchValue('state') || defaultStateDir()
let plane: PlaneHost
let tray: Tray | null = null
let quitting = false

function showWindow(): BrowserWindow {
  const open = BrowserWindow.getAllWindows()[0]
  if (!open)
    return openWindow({
      preload: join(import.meta.dirname, '../preload/index.cjs'),
      boundsFile: join(app.getPath('userData'), 'window.json'),
    })
  if (open.isMinimized()) open.restore()
  open.show()
  open.focus()
  return open
}

function send(command: MenuCommand): void {
  const { webContents } = showWindow()
  if (webContents.isLoading()) webContents.once('did-finish-load', () => webContents.send(IPC.menu, command))
  else webContents.send(IPC.menu, command)
}

function launchPlane(): PlaneHost {
  const host = startPlane(
    {
      stateDir,
      ...placesOf(places),
      face: 'electron',
      logLevel: 'info',
    },
    places.planeWorker,
  )
  host.ready.catch((error: unknown) => void tellFailure(error))
  void host.crashed.then((error) => tellFailure(error))
  return host
}

/** Without a plane there is nothing to show: say why, and start it anew or end. */
async function tellFailure(error: unknown): Promise<void> {
  if (quitting) return
  const { what, why, next } =
    error instanceof FlotillaError ? error : { what: 'Flotilla could not start.', why: messageOf(error), next: '' }
  const { response } = await dialog.showMessageBox({
    type: 'error',
    message: what,
    detail: [why, next].filter(Boolean).join('\n\n'),
    buttons: ['Try again', 'Quit'],
    defaultId: 0,
    cancelId: 1,
  })
  if (response === 1) return app.quit()
  plane = launchPlane()
}

async function stopPlane(): Promise<void> {
  try {
    await plane[Symbol.asyncDispose]()
  } finally {
    app.quit()
  }
}

declareAppScheme()
if (app.requestSingleInstanceLock()) {
  app.on('second-instance', () => void showWindow())
  app.on('activate', () => void showWindow())
  // The tray keeps the app; without one, closing the last window ends it. Pods go on either way.
  app.on('window-all-closed', () => {
    if (!tray) app.quit()
  })
  app.on('before-quit', (event) => {
    if (quitting) return
    event.preventDefault()
    quitting = true
    void stopPlane()
  })
  plane = launchPlane()
  // Not awaited: Electron becomes ready only after this module has been evaluated.
  void app.whenReady().then(() => {
    serveApp(places.rendererDir)
    guardSession()
    relayContract(() => plane.connect())
    Menu.setApplicationMenu(buildMenu(send))
    tray = createTray({
      icon: join(places.resourcesDir, process.platform === 'darwin' ? 'trayTemplate.png' : 'tray.png'),
      show: () => void showWindow(),
      send,
      quit: () => app.quit(),
    })
    showWindow()
  })
} else {
  app.quit()
}
