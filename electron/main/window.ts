import { BrowserWindow, nativeTheme, screen, session, shell } from 'electron'
import { APP_ORIGIN, isOurs, isWebAddress } from './addresses.ts'
import { fitTo, type WindowPlace } from './window-bounds.ts'

/** Keeps every page of ours where it is and alone: no navigation, no window, no permission that was not thought of. */
export function guardSession(): void {
  const allowed = new Set(['clipboard-read', 'clipboard-sanitized-write', 'notifications', 'fullscreen'])
  session.defaultSession.setPermissionRequestHandler((contents, permission, answer) => {
    answer(allowed.has(permission) && isOurs(contents.getURL()))
  })
  session.defaultSession.setPermissionCheckHandler((_contents, permission, origin) => allowed.has(permission) && isOurs(origin))
}

/** `route`: the page that it shows, as what follows "#" in its address. */
export function openWindow(options: { preload: string; place: WindowPlace; route: string }): BrowserWindow {
  const { maximized, ...bounds } = options.place
  const areas = screen.getAllDisplays().map((display) => display.workArea)
  const window = new BrowserWindow({
    ...fitTo(bounds, areas),
    minWidth: 380,
    minHeight: 480,
    show: false,
    title: 'Flotilla',
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#0d1a1f' : '#f8f7f3',
    titleBarStyle: process.platform === 'darwin' ? 'hiddenInset' : 'default',
    webPreferences: {
      preload: options.preload,
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webviewTag: false,
      spellcheck: false,
      // The UI counts and streams while it is behind other windows.
      backgroundThrottling: false,
    },
  })
  if (maximized) window.maximize()
  window.once('ready-to-show', () => window.show())
  guardContents(window)
  window.loadURL(`${APP_ORIGIN}/index.html${options.route === '/' ? '' : `#${options.route}`}`).catch(() => {
    // Loading was cut short by a reload or by closing the window.
  })
  return window
}

function guardContents({ webContents }: BrowserWindow): void {
  const outside = (url: string) => {
    if (isWebAddress(url)) void shell.openExternal(url)
  }
  webContents.setWindowOpenHandler(({ url }) => {
    outside(url)
    return { action: 'deny' }
  })
  webContents.on('will-navigate', (details) => {
    if (isOurs(details.url)) return
    details.preventDefault()
    outside(details.url)
  })
  // No frame has another origin either: the policy of the page says so, and this where a policy would be lost.
  webContents.on('will-frame-navigate', (details) => {
    if (!isOurs(details.url)) details.preventDefault()
  })
  webContents.on('will-redirect', (details) => {
    if (!isOurs(details.url)) details.preventDefault()
  })
  webContents.on('will-attach-webview', (event) => event.preventDefault())
}
