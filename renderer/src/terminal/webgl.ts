import type { Terminal } from '@xterm/xterm'

/** Has a terminal drawn by the graphics card where there is a real one; without, and when it fails, the page draws it itself. */
export async function drawByGpu(terminal: Terminal): Promise<void> {
  const canvas = document.createElement('canvas')
  // One that is imitated by the processor is slower than the page.
  const context = canvas.getContext('webgl2', { failIfMajorPerformanceCaveat: true })
  if (!context) return
  context.getExtension('WEBGL_lose_context')?.loseContext()
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
