import type { Port } from '../../../electron/contracts/protocol.ts'
import type { DesktopPort } from '../env.d.ts'

/** The desktop window's port, as the preload script offers it. It is there for as long as the page is. */
export function electronPort(desktop: DesktopPort): Port {
  return {
    post: (message) => desktop.post(message),
    onMessage: (listener) => desktop.onMessage(listener),
    onClose: (listener) => desktop.onClose(listener),
    close: () => undefined,
  }
}
