/** Runs sandboxed before the page: exposes the bridge and nothing else. */
import { contextBridge, ipcRenderer } from 'electron'
import type { Message } from '../contracts/protocol.ts'
import { IPC, type MenuCommand, type ShellBridge } from '../contracts/shell.ts'

/** Which of this page's connections to the plane is in use; what was meant for an earlier one is dropped at the other end. */
let connection = 0
let onMessage: (message: Message) => void = () => undefined
let onClose: () => void = () => undefined
ipcRenderer.on(IPC.down, (_event, message: Message) => onMessage(message))
ipcRenderer.on(IPC.closed, (_event, next: number) => {
  connection = next
  onClose()
})

const bridge: ShellBridge = {
  platform: process.platform,
  post: (message) => ipcRenderer.send(IPC.up, connection, message),
  onMessage(listener) {
    onMessage = listener
  },
  onClose(listener) {
    onClose = listener
  },
  onMenu: (listener) => void ipcRenderer.on(IPC.menu, (_event, command: MenuCommand) => listener(command)),
  pickFile: (purpose) => ipcRenderer.invoke(IPC.pickFile, purpose) as Promise<string | null>,
  openExternal: (url) => ipcRenderer.invoke(IPC.openExternal, url) as Promise<void>,
  setTheme: (theme) => ipcRenderer.invoke(IPC.theme, theme) as Promise<void>,
}

contextBridge.exposeInMainWorld('flotilla', bridge)
