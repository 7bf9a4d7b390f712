/** The `electron` module of the main process as far as the shell uses it. What it does not have, the shell may not use without a test. */
import { app } from './app.ts'
import { BrowserWindow } from './browser-window.ts'
import { Chromium } from './chromium.ts'
import { desk, ignore } from './desk.ts'
import { Menu, Notification, Tray } from './desktop.ts'
import { nativeTheme } from './native-theme.ts'
import { serveSchemes } from './schemes.ts'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

export { app } from './app.ts'
export { BrowserWindow } from './browser-window.ts'
export { dialog, Menu, nativeImage, Notification, powerMonitor, screen, shell, Tray } from './desktop.ts'
export { nativeTheme } from './native-theme.ts'
export { protocol } from './schemes.ts'
export { session } from './session.ts'
export { ipcMain } from './web-contents.ts'

/** What only tests use. */
export const standIn = {
  desk,
  trays: Tray.all,
  notifications: Notification.shown,
  /** Clicks an item of the application menu: 'View/Pods'. */
  clickMenu: (path: string) => Menu.application?.click(path),
  setSystemDark: (dark: boolean) => nativeTheme.setSystemDark(dark),
  endpoint: () => desk.running.endpoint(),
}

/** Called once the app's main module has been evaluated: only then does Electron become ready. */
export async function start(): Promise<void> {
  if (app.quitting) return
  const port = await serveSchemes()
  const profile = join(app.getPath('sessionData'), 'Chromium')
  mkdirSync(profile, { recursive: true })
  const chromium = await Chromium.start(profile, port)
  desk.chromium = chromium
  void chromium.exited.then(() => {
    if (!desk.quitting) process.stderr.write('[stand-in] Chromium went away\n')
    if (!desk.quitting) process.exit(1)
  })
  const { browser } = chromium
  browser.on('Target.targetDestroyed', ({ targetId }) => BrowserWindow.targetDestroyed(targetId))
  // Each new page starts paused: one that a page opened is closed before it sends a request, our own go on.
  browser.on('Target.attachedToTarget', ({ sessionId, targetInfo: { targetId, openerId }, waitingForDebugger }) => {
    if (!waitingForDebugger) return
    const page = chromium.session(sessionId)
    // Left paused it would block its opener, with which it shares a process; so it goes on, and its requests are held.
    if (openerId) page.send('Fetch.enable').catch(ignore)
    page.send('Runtime.runIfWaitingForDebugger').catch(ignore)
    const end = openerId ? browser.send('Target.closeTarget', { targetId }) : browser.send('Target.detachFromTarget', { sessionId })
    end.catch(ignore)
  })
  const filter = [{ type: 'page' }]
  await browser.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: true, flatten: true, filter })
  await browser.send('Target.setDiscoverTargets', { discover: true, filter })
  if (!app.quitting) app.becomeReady()
}
