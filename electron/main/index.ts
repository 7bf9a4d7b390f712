/** The desktop app: one instance with windows, menu and tray. Everything else is the plane's, in its own thread. */
import { resolve } from 'node:path'
import { app } from 'electron'
import { systemClock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import { createCaller } from '../contracts/caller.ts'
import { CHANNELS } from '../contracts/channels.ts'
import { startPlane, type PlaneHost } from '../plane/host.ts'
import { defaultStateDir, locate, placesOf } from '../plane/locations.ts'
import { ensureSandboxes } from '../plane/sandboxes.ts'
import { declareAppScheme } from './app-protocol.ts'
import { Desktop } from './desktop.ts'
import { HIDDEN } from './login-item.ts'
import { keepPlane } from './plane-keeper.ts'
import { languageFrom, translator } from './texts/texts.ts'
import { keepWindowDataIn } from './window-data.ts'

const places = locate(import.meta.filename)
const stateDir = resolve(app.commandLine.getSwitchValue('state') || defaultStateDir())
/** Files that macOS asks to open before the app is ready. */
const early: string[] = []
let plane: PlaneHost
let desktop: Desktop | null = null
/** What happens once the plane has stopped; null: the app is not quitting. */
let atEnd: (() => void) | null = null

function launchPlane(): PlaneHost {
  plane = startPlane({ stateDir, ...placesOf(places), face: 'electron', logLevel: 'info' }, places.planeWorker)
  desktop?.follow(plane)
  const wanted = Number(app.commandLine.getSwitchValue('nodes'))
  if (wanted > 0)
    makeNodes(plane, wanted).catch((error: unknown) => desktop?.notifier.notify(desktop.text('nodes.failed'), messageOf(error)))
  return plane
}

/** What `npm start -- --yes` asks for; the progress is on the page of each machine. */
async function makeNodes(host: PlaneHost, wanted: number): Promise<void> {
  await host.ready
  using caller = createCaller(host.connect(), CHANNELS)
  await ensureSandboxes(caller, wanted)
}

function quit(instead: () => void = () => app.quit()): void {
  if (atEnd) return
  atEnd = instead
  desktop?.remember()
  void Promise.resolve(plane[Symbol.asyncDispose]()).finally(() => atEnd?.())
}

function onReady(): void {
  const made = new Desktop({ places, clock: systemClock, plane: () => plane, quit })
  desktop = made
  made.follow(plane)
  app.on('activate', () => made.show())
  made.begin(process.argv.includes(HIDDEN))
  made.open([...process.argv, ...early])
}

/** Links and files of macOS; elsewhere they are arguments of a second start. */
function openLater(what: string): void {
  if (desktop) desktop.open(['', what])
  else early.push(what)
}

// Before anything that depends on where the app's data is, the one instance among it.
keepWindowDataIn(stateDir)
declareAppScheme()
if (app.requestSingleInstanceLock()) {
  if (app.isPackaged) app.setAsDefaultProtocolClient('flotilla')
  app.on('open-url', (event, url) => {
    event.preventDefault()
    openLater(url)
  })
  app.on('open-file', (event, path) => {
    event.preventDefault()
    openLater(path)
  })
  app.on('second-instance', (_event, argv, workingDirectory) => {
    if (!desktop?.open(argv.map((arg) => (/^[^-].*\.ya?ml$/i.test(arg) && !arg.includes('://') ? resolve(workingDirectory, arg) : arg))))
      desktop?.show()
  })
  // The tray keeps the app; without one, closing the last window ends it. Pods go on either way.
  app.on('window-all-closed', () => {
    if (desktop?.hasTray) desktop.stay()
    else app.quit()
  })
  app.on('before-quit', (event) => {
    if (atEnd) return
    event.preventDefault()
    quit()
  })
  const text = () => desktop?.text ?? translator(languageFrom([app.getLocale()]))
  const onRestart = ({ why }: { why: string }) => desktop?.planeRestarted(why)
  keepPlane({ launch: launchPlane, clock: systemClock, text, onRestart }).then(
    () => app.quit(),
    () => app.quit(),
  )
  // Not awaited: Electron becomes ready only after this module has been evaluated.
  void app.whenReady().then(onReady)
} else {
  app.quit()
}
