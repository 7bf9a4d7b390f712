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
  pickFile: 'shell:pick-file',
  openExternal: 'shell:open-external',
  theme: 'shell:theme',
} as const

/** What a menu entry asks the UI to do. */
export type MenuCommand = 'deploy' | 'add-machine' | 'palette' | 'keys' | 'settings' | 'overview' | 'pods' | 'machines'

export interface ShellBridge {
  readonly platform: string
  post(message: Message): void
  /** The latest listener gets the messages, those of the present connection only. */
  onMessage(listener: (message: Message) => void): void
  /** The latest listener is told that the connection is gone. */
  onClose(listener: () => void): void
  onMenu(listener: (command: MenuCommand) => void): void
  /** The path that was chosen, or null. `purpose` titles the dialog. */
  pickFile(purpose: 'key' | 'manifest' | 'image'): Promise<string | null>
  /** Opens an http(s) address in the user's browser; others are refused. */
  openExternal(url: string): Promise<void>
  setTheme(theme: 'system' | 'light' | 'dark'): Promise<void>
}
