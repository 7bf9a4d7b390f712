/** The desktop app: windows, menu, tray and one relay. Everything else is the plane's, in its own thread. */
import { join, resolve } from 'node:path'
import { app, BrowserWindow, Menu, type Tray } from 'electron'
import { systemClock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import { createCaller } from '../contracts/caller.ts'
import { CHANNELS } from '../contracts/channels.ts'
import { IPC, type MenuCommand } from '../contracts/shell.ts'
import { startPlane, type PlaneHost } from '../plane/host.ts'
import { defaultStateDir, locate, placesOf } from '../plane/locations.ts'
import { ensureSandboxes } from '../plane/sandboxes.ts'
import { declareAppScheme, serveApp } from './app-protocol.ts'
import { relayContract } from './ipc.ts'
import { buildMenu } from './menu.ts'
import { notify } from './notify.ts'
import { keepPlane } from './plane-keeper.ts'
import { createTray } from './tray.ts'
import { keepWindowDataIn } from './window-data.ts'
import { guardSession, openWindow } from './window.ts'

const places = locate(import.meta.filename)
const stateDir = resolve(app.commandLine.getSwitchValue('state') || defaultStateDir())
let plane: PlaneHost
let tray: Tray | null = null
let quitting = false
let toldOfTray = false

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
  const tell = () => webContents.send(IPC.menu, command)
  if (webContents.getURL() === '' || webContents.isLoading()) webContents.once('did-finish-load', tell)
  else tell()
}

function launchPlane(): PlaneHost {
  plane = startPlane({ stateDir, ...placesOf(places), face: 'electron', logLevel: 'info' }, places.planeWorker)
  const wanted = Number(app.commandLine.getSwitchValue('nodes'))
  if (wanted > 0) makeNodes(plane, wanted).catch((error: unknown) => notify('No node was made on this computer', messageOf(error)))
  return plane
}

/** What `npm start -- --yes` asks for; the progress is on the page of each machine. */
async function makeNodes(host: PlaneHost, wanted: number): Promise<void> {
  await host.ready
  using caller = createCaller(host.connect(), CHANNELS)
  await ensureSandboxes(caller, wanted)
}

async function stopPlane(): Promise<void> {
  try {
    await plane[Symbol.asyncDispose]()
  } finally {
    app.quit()
  }
}

/** A desktop may have no tray; then closing the window ends the app. */
function tryTray(): Tray | null {
  try {
    return createTray({
      icon: join(places.resourcesDir, process.platform === 'darwin' ? 'trayTemplate.png' : 'tray.png'),
      show: () => void showWindow(),
      send,
      quit: () => app.quit(),
    })
  } catch {
    return null
  }
}

function onReady(): void {
  serveApp(places.rendererDir)
  guardSession()
  relayContract(() => plane.connect())
  Menu.setApplicationMenu(buildMenu(send))
  tray = tryTray()
  app.on('activate', () => void showWindow())
  showWindow()
}

// Before anything that depends on where the app's data is, the one instance among it.
keepWindowDataIn(stateDir)
declareAppScheme()
if (app.requestSingleInstanceLock()) {
  app.on('second-instance', () => void showWindow())
  // The tray keeps the app; without one, closing the last window ends it. Pods go on either way.
  app.on('window-all-closed', () => {
    if (!tray) return app.quit()
    if (!toldOfTray) notify('Flotilla goes on', 'Your cluster keeps running. Open or quit Flotilla from the tray.')
    toldOfTray = true
  })
  app.on('before-quit', (event) => {
    if (quitting) return
    event.preventDefault()
    quitting = true
    void stopPlane()
  })
  keepPlane(launchPlane, systemClock).then(
    () => app.quit(),
    () => app.quit(),
  )
  // Not awaited: Electron becomes ready only after this module has been evaluated.
  void app.whenReady().then(onReady)
} else {
  app.quit()
}
