/**
 * What the Electron shell offers the UI beside the plane: the few things that need the desktop. The preload exposes it as
 * `window.flotilla`; in a browser that object is absent.
 */
import type { Message } from './protocol.ts'

/** Names of the IPC channels between preload and main. */
export const IPC = {
  /** Renderer to main: the number of the page's connection, from 0, and a message of the contract. */
  up: 'contract:up',
  /** Main to renderer: a message of the contract. */
  down: 'contract:down',
  /** Main to renderer: the plane's connection is gone; the next message makes a new one, which has the number that comes along. */
  closed: 'contract:closed',
  /** Main to renderer: a menu or tray entry was chosen. */
  menu: 'shell:menu',
  /** Main to renderer: a page is to be shown, or a manifest. */
  open: 'shell:open',
  /** Main to renderer: something happened that the person is told in passing. */
  notice: 'shell:notice',
  /** Main to renderer: the desktop's state, on each change. */
  desktop: 'shell:desktop',
  getDesktop: 'shell:get-desktop',
  changeDesktop: 'shell:change-desktop',
  update: 'shell:update',
  pickFile: 'shell:pick-file',
  openExternal: 'shell:open-external',
  theme: 'shell:theme',
  language: 'shell:language',
} as const

/** What a menu entry asks the UI to do. */
export type MenuCommand = 'deploy' | 'add-machine' | 'palette' | 'keys' | 'settings' | 'overview' | 'pods' | 'machines'

/** From a link, a file or a notification. A manifest is shown to be applied by hand, never applied by itself. */
export type OpenRequest =
  { readonly type: 'page'; readonly route: string } | { readonly type: 'manifest'; readonly name: string; readonly text: string }

/** The window was closed by a fault and is shown again; the control plane crashed and runs again. */
export type Notice = 'window-restored' | 'plane-restarted'

/** Where the search for a newer version stands. */
export type UpdateState =
  /** `development`: not an installed app. `source`: this build was published nowhere. `package`: the system's package manager updates it. */
  | { readonly phase: 'off'; readonly why: 'development' | 'source' | 'package' }
  | { readonly phase: 'current' }
  | { readonly phase: 'checking' }
  | { readonly phase: 'loading'; readonly version: string; readonly percent: number }
  /** Taken when the app is next quit, or at once when the person says so. */
  | { readonly phase: 'ready'; readonly version: string }
  | { readonly phase: 'failed'; readonly why: string }

export interface DesktopState {
  readonly notifications: boolean
  /** Null where this system has no such thing. */
  readonly openAtLogin: boolean | null
  readonly update: UpdateState
}

export type DesktopChange = Partial<Pick<DesktopState, 'notifications'> & { readonly openAtLogin: boolean }>

export interface ShellBridge {
  readonly platform: string
  post(message: Message): void
  /** The latest listener gets the messages, those of the present connection only. */
  onMessage(listener: (message: Message) => void): void
  /** The latest listener is told that the connection is gone. */
  onClose(listener: () => void): void
  /** What came before there was a listener waits for it; so for the two below. */
  onMenu(listener: (command: MenuCommand) => void): void
  onOpen(listener: (request: OpenRequest) => void): void
  onNotice(listener: (notice: Notice) => void): void
  desktop(): Promise<DesktopState>
  onDesktop(listener: (state: DesktopState) => void): void
  changeDesktop(change: DesktopChange): Promise<DesktopState>
  /** `install` ends the app, replaces it and starts it again. */
  update(action: 'check' | 'install'): Promise<void>
  /** The path that was chosen, or null. `purpose` titles the dialog. */
  pickFile(purpose: 'key' | 'manifest' | 'image'): Promise<string | null>
  /** Opens an https address in the user's browser, or an http one of this computer; others are refused. */
  openExternal(url: string): Promise<void>
  setTheme(theme: 'system' | 'light' | 'dark'): Promise<void>
  /** Menus, tray and notifications follow it. */
  setLanguage(language: string): Promise<void>
}
