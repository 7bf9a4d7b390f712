import type { ShellBridge } from '../../electron/contracts/shell.ts'

declare global {
  interface Window {
    /** What the preload of the desktop's window offers; absent in a browser. */
    readonly flotilla?: ShellBridge
  }
}
