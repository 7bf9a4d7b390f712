import type { Message } from '../../electron/contracts/protocol.ts'

/** What the preload of the desktop's window offers; absent in a browser. */
export interface DesktopPort {
  post(message: Message): void
  onMessage(listener: (message: Message) => void): void
  onClose(listener: () => void): void
}

declare global {
  interface Window {
    readonly flotilla?: DesktopPort
  }
}
