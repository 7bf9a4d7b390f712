import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { app } from 'electron'
import type { Clock } from '../base/clock.ts'
import type { UpdateState } from '../contracts/shell.ts'
import { Updates, type Updater } from './updates.ts'

/** Searches where this build says that its releases are; only installed apps that no package manager looks after. */
export function findUpdates(clock: Clock, onChange: (state: UpdateState) => void): Updates {
  return new Updates({ off: whyOff(), load: loadUpdater, clock, onChange })
}

function whyOff(env: NodeJS.ProcessEnv = process.env): 'development' | 'source' | 'package' | null {
  if (!app.isPackaged) return 'development'
  if (!existsSync(join(process.resourcesPath, 'app-update.yml'))) return 'source'
  return process.platform === 'linux' && !env['APPIMAGE'] ? 'package' : null
}

/** Its libraries take a while to load, and few starts need them. */
async function loadUpdater(): Promise<Updater> {
  const loaded = await import('electron-updater')
  const { autoUpdater } = loaded.default
  // What happens is told to the windows.
  autoUpdater.logger = null
  return autoUpdater
}
