import type { Port } from '../../../electron/contracts/protocol.ts'
import type { ShellBridge } from '../../../electron/contracts/shell.ts'

/** The desktop window's port, as the preload script offers it. It is there for as long as the page is. */
export function electronPort(desktop: Pick<ShellBridge, 'post' | 'onMessage' | 'onClose'>): Port {
  return {
    post: (message) => desktop.post(message),
    onMessage: (listener) => desktop.onMessage(listener),
    onClose: (listener) => desktop.onClose(listener),
    close: () => undefined,
  }
}
