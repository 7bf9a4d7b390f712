import { systemRandom } from '../base/random.ts'
import { locate } from '../plane/locations.ts'
import { serveBrowserFace } from './browser-face.ts'
import type { Args, OptionSpec } from './command.ts'
import type { OwnPlane } from './session.ts'

export const UI_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  ui: { type: 'boolean', help: 'also serve the UI to a browser' },
  'ui-port': { type: 'string', help: 'port of the UI on 127.0.0.1 (default: a free one)' },
}

/** Serves the UI if it was asked for; what to say of it in the ready line. */
export async function serveUi(stack: AsyncDisposableStack, plane: OwnPlane, args: Args, entry: string): Promise<{ ui?: string }> {
  const port = args.integer('ui-port', 1, 65535)
  if (!args.flag('ui') && port === undefined) return {}
  const { rendererDir } = locate(entry)
  const face = await serveBrowserFace({ rendererDir, port: port ?? 0, random: systemRandom, connect: () => plane.host.connect() })
  stack.use(face)
  return { ui: face.url }
}
