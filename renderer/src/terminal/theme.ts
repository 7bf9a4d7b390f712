import type { ITheme } from '@xterm/xterm'

/** The terminal's colours from the tokens: a canvas cannot read `var()`, so they are resolved once for each theme. */
export function terminalTheme(of: Element): ITheme {
  const probe = document.createElement('span')
  of.append(probe)
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  const read = (value: string) => {
    probe.style.color = value
    const { color } = getComputedStyle(probe)
    return canvas ? toHex(canvas, color) : color
  }
  const theme: ITheme = {
    background: read('var(--term)'),
    foreground: read('var(--text)'),
    cursor: read('var(--accent)'),
    cursorAccent: read('var(--on-accent)'),
    selectionBackground: read('var(--accent-tint)'),
    black: read('var(--text-3)'),
    red: read('var(--err-text)'),
    green: read('var(--ok-text)'),
    yellow: read('var(--warn-text)'),
    blue: read('var(--src-6)'),
    magenta: read('var(--src-4)'),
    cyan: read('var(--accent-text)'),
    white: read('var(--text-2)'),
    brightBlack: read('var(--text-3)'),
    brightRed: read('var(--err-text)'),
    brightGreen: read('var(--ok-text)'),
    brightYellow: read('var(--warn-text)'),
    brightBlue: read('var(--src-1)'),
    brightMagenta: read('var(--src-2)'),
    brightCyan: read('var(--accent-text)'),
    brightWhite: read('var(--text)'),
  }
  probe.remove()
  return theme
}

/** xterm knows hex and rgb() only; the tokens are oklch. */
function toHex(canvas: CanvasRenderingContext2D, color: string): string {
  canvas.clearRect(0, 0, 1, 1)
  canvas.fillStyle = color
  canvas.fillRect(0, 0, 1, 1)
  const [r = 0, g = 0, b = 0] = canvas.getImageData(0, 0, 1, 1).data
  return `#${[r, g, b].map((n) => n.toString(16).padStart(2, '0')).join('')}`
}
