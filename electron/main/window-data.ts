import { mkdirSync } from 'node:fs'
import { app } from 'electron'
import { paths } from '../plane/state-dir.ts'

/**
 * Puts what the window keeps (its place, the UI's settings) into the state folder: one instance and one memory for each cluster. Where
 * the folder cannot be made, Electron's own place is used, and the plane says what is wrong with the state folder.
 */
export function keepWindowDataIn(stateDir: string): void {
  const { desktop } = paths(stateDir)
  try {
    mkdirSync(desktop, { recursive: true, mode: 0o700 })
    app.setPath('userData', desktop)
    app.setPath('sessionData', desktop)
  } catch {
    // As documented above.
  }
}
