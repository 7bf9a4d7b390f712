import { BrowserWindow, nativeTheme, session, shell } from 'electron'
import { APP_ORIGIN } from './app-protocol.ts'
import { readBounds, saveBounds } from './window-bounds.ts'

/** What a link may open outside: never a file, never another scheme. */
export function isWebAddress(url: string): boolean {
  try {
    return ['https:', 'http:'].includes(new URL(url).protocol)
  } catch {
    return false
  }
}

/** Keeps every page of ours where it is and alone: no navigation, no window, no permission that was not thought of. */
export function guardSession(): void {
  const allowed = new Set(['clipboard-read', 'clipboard-sanitized-write', 'notifications', 'fullscreen'])
  session.defaultSession.setPermissionRequestHandler((contents, permission, answer) => {
    answer(allowed.has(permission) && contents.getURL().startsWith(`${APP_ORIGIN}/`))
  })
  session.defaultSession.setPermissionCheckHandler(
    (_contents, permission, origin) => allowed.has(permission) && origin.startsWith(APP_ORIGIN),
  )
}

export function openWindow(options: { preload: string; boundsFile: string }): BrowserWindow {
  const window = new BrowserWindow({
    ...readBounds(options.boundsFile),
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
  window.once('ready-to-show', () => window.show())
  window.on('close', () => saveBounds(options.boundsFile, window.getNormalBounds()))
  window.webContents.setWindowOpenHandler(({ url }) => {
    if (isWebAddress(url)) void shell.openExternal(url)
    return { action: 'deny' }
  })
  window.webContents.on('will-navigate', (event, url) => {
    if (url.startsWith(`${APP_ORIGIN}/`)) return
    event.preventDefault()
    if (isWebAddress(url)) void shell.openExternal(url)
  })
  window.webContents.on('will-attach-webview', (event) => event.preventDefault())
  void window.loadURL(`${APP_ORIGIN}/index.html`)
  return window
}
