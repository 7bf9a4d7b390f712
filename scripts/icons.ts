/** `node scripts/icons.ts`: draws every icon from `resources/icon.svg`, in a Chromium. What it writes is committed. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { chromium, type Page } from 'playwright-core'
import { ROOT } from './lib.mjs'
import { icns, ico, ICNS_SIZES, ICO_SIZES } from './package/icon-files.ts'

const RESOURCES = join(ROOT, 'resources')
/** Of the desktop entry and the icon themes of Linux. */
const LINUX_SIZES = [16, 24, 32, 48, 64, 128, 256, 512] as const
const ALERT = '#e5484d'

interface Drawing {
  /** Without its ending; a second file for sharp displays gets "@2x". */
  readonly name: string
  readonly size: number
  readonly svg: string
}

function drawings(svg: string): Drawing[] {
  const mark = [...svg.matchAll(/<path [^>]*d="([^"]+)"/g)].map(([, path]) => `<path d="${path}"/>`).join('')
  const inner = svg.replace(/^<svg[^>]*>|<\/svg>\s*$/g, '')
  const box = (side: number, content: string) => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${side} ${side}">${content}</svg>`
  const hole = '<mask id="m"><rect width="32" height="32" fill="#fff"/><circle cx="7" cy="7" r="8.5" fill="#000"/></mask>'
  return [
    { name: 'tray', size: 22, svg: box(512, inner) },
    {
      name: 'tray-alert',
      size: 22,
      svg: box(512, `${inner}<circle cx="392" cy="120" r="104" fill="${ALERT}" stroke="#fff" stroke-width="20"/>`),
    },
    // macOS colours these itself: only their shape counts.
    { name: 'trayTemplate', size: 16, svg: box(32, mark) },
    { name: 'trayAlertTemplate', size: 16, svg: box(32, `${hole}<g mask="url(#m)">${mark}</g><circle cx="7" cy="7" r="6"/>`) },
    {
      name: 'badge',
      size: 16,
      svg: box(32, `<circle cx="16" cy="16" r="14" fill="${ALERT}"/><path fill="#fff" d="M14 7h4v11h-4zm0 14h4v4h-4z"/>`),
    },
  ]
}

async function draw(page: Page, svg: string, size: number): Promise<Buffer> {
  await page.setViewportSize({ width: size, height: size })
  const url = `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`
  await page.setContent(`<style>*{margin:0}img{display:block}</style><img width="${size}" height="${size}" src="${url}">`)
  return await page.screenshot({ omitBackground: true })
}

const svg = await readFile(join(RESOURCES, 'icon.svg'), 'utf8')
await mkdir(join(RESOURCES, 'build/icons'), { recursive: true })
await using browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
const page = await browser.newPage()
const images = new Map<number, Buffer>()
for (const size of new Set([...ICO_SIZES, ...ICNS_SIZES, ...LINUX_SIZES])) images.set(size, await draw(page, svg, size))
for (const size of LINUX_SIZES) await writeFile(join(RESOURCES, `build/icons/${size}x${size}.png`), images.get(size) ?? '')
await writeFile(join(RESOURCES, 'icon.png'), images.get(512) ?? '')
await writeFile(join(RESOURCES, 'build/icon.ico'), ico(images))
await writeFile(join(RESOURCES, 'build/icon.icns'), icns(images))
for (const { name, size, svg: drawn } of drawings(svg)) {
  await writeFile(join(RESOURCES, `${name}.png`), await draw(page, drawn, size))
  await writeFile(join(RESOURCES, `${name}@2x.png`), await draw(page, drawn, size * 2))
}
