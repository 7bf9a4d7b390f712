/** Runs sandboxed before the page: exposes the bridge and nothing else. */
import { contextBridge, ipcRenderer } from 'electron'
import type { Message } from '../contracts/protocol.ts'
import { IPC, type MenuCommand, type ShellBridge } from '../contracts/shell.ts'

const bridge: ShellBridge = {
  platform: process.platform,
  post: (message) => ipcRenderer.send(IPC.up, message),
  onMessage: (listener) => void ipcRenderer.on(IPC.down, (_event, message: Message) => listener(message)),
  onClose: (listener) => void ipcRenderer.on(IPC.closed, () => listener()),
  onMenu: (listener) => void ipcRenderer.on(IPC.menu, (_event, command: MenuCommand) => listener(command)),
  pickFile: (purpose) => ipcRenderer.invoke(IPC.pickFile, purpose) as Promise<string | null>,
  openExternal: (url) => ipcRenderer.invoke(IPC.openExternal, url) as Promise<void>,
  setTheme: (theme) => ipcRenderer.invoke(IPC.theme, theme) as Promise<void>,
}

contextBridge.exposeInMainWorld('flotilla', bridge)
