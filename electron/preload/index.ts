/** Runs sandboxed before the page: exposes the bridge and nothing else. */
import { contextBridge, ipcRenderer } from 'electron'
import type { Message } from '../contracts/protocol.ts'
import { IPC, type DesktopState, type MenuCommand, type Notice, type OpenRequest, type ShellBridge } from '../contracts/shell.ts'

/** Which of this page's connections to the plane is in use; what was meant for an earlier one is dropped at the other end. */
let connection = 0
let onMessage: (message: Message) => void = () => undefined
let onClose: () => void = () => undefined
ipcRenderer.on(IPC.down, (_event, message: Message) => onMessage(message))
ipcRenderer.on(IPC.closed, (_event, next: number) => {
  connection = next
  onClose()
})

/** Keeps what comes before the page has begun to listen. */
function kept<T>(channel: string): (listener: (value: T) => void) => void {
  const early: T[] = []
  let take: (value: T) => void = (value) => early.push(value)
  ipcRenderer.on(channel, (_event, value: T) => take(value))
  return (listener) => {
    take = listener
    for (const value of early.splice(0)) listener(value)
  }
}

const bridge: ShellBridge = {
  platform: process.platform,
  post: (message) => ipcRenderer.send(IPC.up, connection, message),
  onMessage(listener) {
    onMessage = listener
  },
  onClose(listener) {
    onClose = listener
  },
  onMenu: kept<MenuCommand>(IPC.menu),
  onOpen: kept<OpenRequest>(IPC.open),
  onNotice: kept<Notice>(IPC.notice),
  desktop: () => ipcRenderer.invoke(IPC.getDesktop) as Promise<DesktopState>,
  onDesktop: kept<DesktopState>(IPC.desktop),
  changeDesktop: (change) => ipcRenderer.invoke(IPC.changeDesktop, change) as Promise<DesktopState>,
  update: (action) => ipcRenderer.invoke(IPC.update, action) as Promise<void>,
  pickFile: (purpose) => ipcRenderer.invoke(IPC.pickFile, purpose) as Promise<string | null>,
  openExternal: (url) => ipcRenderer.invoke(IPC.openExternal, url) as Promise<void>,
  setTheme: (theme) => ipcRenderer.invoke(IPC.theme, theme) as Promise<void>,
  setLanguage: (language) => ipcRenderer.invoke(IPC.language, language) as Promise<void>,
}

contextBridge.exposeInMainWorld('flotilla', bridge)
