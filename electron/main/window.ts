import { BrowserWindow, nativeTheme, screen, session, shell } from 'electron'
import { APP_ORIGIN } from './app-protocol.ts'
import { fitTo, readBounds, saveBounds } from './window-bounds.ts'

/** What a link may open outside: never a file, never another scheme. */
export function isWebAddress(url: string): boolean {
  try {
    return ['https:', 'http:'].includes(new URL(url).protocol)
  } catch {
    return false
  }
}

/** Whether a URL, or an origin, is the UI's own. */
export function isOurs(url: string): boolean {
  return url === APP_ORIGIN || url.startsWith(`${APP_ORIGIN}/`)
}

/** Keeps every page of ours where it is and alone: no navigation, no window, no permission that was not thought of. */
export function guardSession(): void {
  const allowed = new Set(['clipboard-read', 'clipboard-sanitized-write', 'notifications', 'fullscreen'])
  session.defaultSession.setPermissionRequestHandler((contents, permission, answer) => {
    answer(allowed.has(permission) && isOurs(contents.getURL()))
  })
  session.defaultSession.setPermissionCheckHandler((_contents, permission, origin) => allowed.has(permission) && isOurs(origin))
}

export function openWindow(options: { preload: string; boundsFile: string }): BrowserWindow {
  const { maximized, ...bounds } = readBounds(options.boundsFile)
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
  window.on('close', () => saveBounds(options.boundsFile, { ...window.getNormalBounds(), maximized: window.isMaximized() }))
  guardContents(window)
  window.loadURL(`${APP_ORIGIN}/index.html`).catch(() => {
    // Loading was cut short by a reload or by closing the window.
  })
  return window
}

function guardContents({ webContents }: BrowserWindow): void {
  webContents.setWindowOpenHandler(({ url }) => {
    if (isWebAddress(url)) void shell.openExternal(url)
    return { action: 'deny' }
  })
  webContents.on('will-navigate', (details) => {
    if (isOurs(details.url)) return
    details.preventDefault()
    if (isWebAddress(details.url)) void shell.openExternal(details.url)
  })
  webContents.on('will-attach-webview', (event) => event.preventDefault())
  webContents.on('render-process-gone', (_event, { reason }) => {
    if (reason !== 'clean-exit') webContents.reload()
  })
}
