/** Where the API server is reached on this machine's loopback: the file that each connection of the control plane rewrites. */
import { watch } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Mutex } from '../../base/async.ts'
import type { Clock } from '../../base/clock.ts'
import { Emitter } from '../../base/events.ts'
import { component, type Component, componentWith } from '../../base/lifecycle.ts'

export interface LinkPort extends Component {
  /** Null while there is none. */
  readonly port: number | null
  /** Each time when it is written down anew, be it the same. */
  readonly written: Emitter<number | null>
  /** Looks now, for who has reason to think that it is not true any more. */
  read(): Promise<number | null>
}

/** Milliseconds: the folder's watch may be missing where the folder is. */
const LOOK = 5000

export function createLinkPort(file: string, clock: Clock): LinkPort {
  const written = new Emitter<number | null>()
  const order = new Mutex()
  let current = NOTHING

  // One after the other: an older note must not be told after a newer one.
  const read = () =>
    order.run(async () => {
      const next = await readNote(file)
      const isNew = next.version !== current.version
      current = next
      if (isNew) written.emit(next.port)
      return next.port
    })

  const base = component(async (stack) => {
    await read()
    stack.use(watchFolder(dirname(file), clock, () => void read()))
    stack.use(clock.setInterval(() => void read(), LOOK, { unref: true }))
  })
  return componentWith(base, {
    get port() {
      return current.port
    },
    written,
    read,
  })
}

interface Note {
  readonly port: number | null
  /** Differs from one writing to the next. */
  readonly version: string
}

const NOTHING: Note = { port: null, version: '' }

async function readNote(file: string): Promise<Note> {
  try {
    await using handle = await open(file)
    const { ino, mtimeNs } = await handle.stat({ bigint: true })
    const found = /^\s*(\d{1,5})\s*$/.exec(await handle.readFile('utf8'))?.[1]
    const port = found !== undefined && Number(found) > 0 && Number(found) < 65536 ? Number(found) : null
    return { port, version: `${ino} ${mtimeNs}` }
  } catch {
    return NOTHING
  }
}

/** The folder and not the file, which is replaced. Begun again when the folder comes back. */
function watchFolder(folder: string, clock: Clock, onChange: () => void): Disposable {
  let watcher: ReturnType<typeof watch> | null = null
  const begin = () => {
    if (watcher) return
    try {
      watcher = watch(folder, { persistent: false }, onChange)
      watcher.on('error', end)
    } catch {
      watcher = null
    }
  }
  const end = () => {
    watcher?.close()
    watcher = null
  }
  begin()
  const again = clock.setInterval(begin, LOOK, { unref: true })
  return {
    [Symbol.dispose]() {
      again[Symbol.dispose]()
      end()
    },
  }
}
