/** Whether Flotilla starts with the session: kept by the system on macOS and Windows, and on Linux as a file of the desktop's autostart. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { app } from 'electron'

/** Begins in the tray, without a window. */
export const HIDDEN = '--hidden'

export interface LoginItem {
  /** Null where it cannot be set: what runs is not installed. */
  get(): boolean | null
  set(open: boolean): void
}

export function loginItem(env: NodeJS.ProcessEnv = process.env): LoginItem {
  if (!app.isPackaged) return { get: () => null, set: () => undefined }
  if (process.platform === 'linux')
    return autostart(join(env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'autostart'), env['APPIMAGE'] ?? process.execPath)
  return {
    get: () => app.getLoginItemSettings({ args: [HIDDEN] }).openAtLogin,
    set: (open) => app.setLoginItemSettings({ openAtLogin: open, args: [HIDDEN] }),
  }
}

/** As freedesktop.org's Desktop Application Autostart Specification has it. `program`: its absolute path. */
export function autostart(folder: string, program: string): LoginItem {
  const file = join(folder, 'flotilla.desktop')
  return {
    get() {
      try {
        return !/^Hidden=true$/m.test(readFileSync(file, 'utf8'))
      } catch {
        return false
      }
    },
    set(open) {
      if (!open) return rmSync(file, { force: true })
      mkdirSync(dirname(file), { recursive: true })
      const quoted = program.replace(/["`$\\]/g, '\\$&').replaceAll('%', '%%')
      writeFileSync(file, `[Desktop Entry]\nType=Application\nName=Flotilla\nExec="${quoted}" ${HIDDEN}\nTerminal=false\n`)
    },
  }
}
