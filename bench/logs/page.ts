/** The built UI in a real Chromium over the real contract, with one container's log read by the agent's reader. */
import { readFileSync } from 'node:fs'
import { chromium, type Browser, type CDPSession, type Page } from 'playwright-core'
import { readLog, type LogSource } from '../../electron/agent/server/logs/log-reader.ts'
import { logOptions } from '../../electron/agent/server/logs/log-options.ts'
import { systemClock } from '../../electron/base/clock.ts'
import { systemRandom } from '../../electron/base/random.ts'
import { serveBrowserFace } from '../../electron/headless/browser-face.ts'
import { buildUi } from '../../tests/ui/fake/app.ts'
import { POD, startCluster } from '../../tests/ui/fake/cluster.ts'
import { createFakeFace, faceHandlers, type FakeFace } from '../../tests/ui/fake/face.ts'
import { makeHarbor } from '../../tests/ui/fake/harbor.ts'
import { startWorkers } from '../../tests/ui/fake/workers.ts'

export interface LogPage extends AsyncDisposable {
  readonly page: Page
  readonly browser: Browser
  readonly face: FakeFace
}

/** Opens the page of a pod's log, whose lines come from `source`. */
export async function openLogPage(source: LogSource): Promise<LogPage> {
  await using stack = new AsyncDisposableStack()
  const cluster = stack.use(await startCluster())
  const workers = stack.use(startWorkers(cluster.client))
  await makeHarbor(cluster.client)
  const face = createFakeFace({
    ...faceHandlers(cluster.client, {}),
    async 'kube.logs'({ follow, timestamps, tailLines, sinceTime }, duplex) {
      const query = new URLSearchParams({ follow: String(follow ?? false), timestamps: String(timestamps ?? false) })
      if (tailLines !== undefined) query.set('tailLines', String(tailLines))
      if (sinceTime !== undefined) query.set('sinceTime', sinceTime)
      const options = logOptions(query, systemClock.now())
      for await (const chunk of readLog(source, options, systemClock, duplex.signal)) await duplex.send({}, chunk)
    },
  })
  const served = stack.use(
    await serveBrowserFace({ rendererDir: await buildUi(), port: 0, random: systemRandom, connect: () => face.connect() }),
  )
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--enable-precise-memory-info'],
  })
  stack.defer(() => browser.close())
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  await page.goto(served.url)
  await page.getByRole('contentinfo').getByText('Live').waitFor()
  const name = await runningPod(cluster.client)
  workers[Symbol.dispose]()
  await page.evaluate(`location.hash = '#/pods/shop/${name}?tab=logs&container=app'`)
  await page.getByRole('log').waitFor()
  const own = stack.move()
  return { page, browser, face, [Symbol.asyncDispose]: () => own.disposeAsync() }
}

async function runningPod(client: Awaited<ReturnType<typeof startCluster>>['client']): Promise<string> {
  for (;;) {
    const { items } = await client.list(POD, { namespace: 'shop', labelSelector: 'app=web' })
    const found = items.find((pod) => pod.status.containerStatuses?.every((status) => status.state?.running))
    if (found) return found.metadata.name
    await new Promise<void>((resolve) => void systemClock.setTimeout(resolve, 200))
  }
}

/** Bytes of memory that the page's process has in RAM, and of the heaps of its window and of its worker. */
export async function memoryOf(browser: Browser, page: Page): Promise<{ process: number; heap: number }> {
  const cdp: CDPSession = await browser.newBrowserCDPSession()
  const { processInfo } = await cdp.send('SystemInfo.getProcessInfo')
  const sizes = processInfo
    .filter(({ type }) => type === 'renderer')
    .map(({ id }) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1] ?? 0) * 1024)
  await cdp.detach()
  const own = await page.context().newCDPSession(page)
  await own.send('HeapProfiler.collectGarbage')
  const { usedSize } = await own.send('Runtime.getHeapUsage')
  await own.detach()
  return { process: Math.max(...sizes), heap: usedSize }
}
