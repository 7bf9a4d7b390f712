import type { Terminal } from '@xterm/xterm'

/** Drivers that imitate a graphics card by the processor: slower than the page itself. */
const IMITATED = /swiftshader|llvmpipe|softpipe|software|basic render/i

/** Whether there is a graphics card that draws WebGL. */
function hasGpu(): boolean {
  const context = document.createElement('canvas').getContext('webgl2', { failIfMajorPerformanceCaveat: true })
  if (!context) return false
  const info = context.getExtension('WEBGL_debug_renderer_info')
  const name: unknown = info && context.getParameter(info.UNMASKED_RENDERER_WEBGL)
  context.getExtension('WEBGL_lose_context')?.loseContext()
  return typeof name === 'string' && !IMITATED.test(name)
}

/** Has a terminal drawn by the graphics card where there is a real one; without, and when it fails, the page draws it itself. */
export async function drawByGpu(terminal: Terminal): Promise<void> {
  if (!hasGpu()) return
  const { WebglAddon } = await import('@xterm/addon-webgl')
  if (!terminal.element) return
  const addon = new WebglAddon()
  addon.onContextLoss(() => addon.dispose())
  try {
    terminal.loadAddon(addon)
  } catch {
    addon.dispose()
  }
}
