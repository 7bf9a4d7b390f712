import https from 'node:https'
import type { IncomingMessage } from 'node:http'
import { goReason } from '../../webhooks/webhook-error.ts'

const MAX_ANSWER = 1 << 20

/** The JSON at an https URL. `ca` in PEM; absent: the system's authorities count. Throws Error that names the URL and why. */
export async function getJson(url: string, ca: string | undefined, signal: AbortSignal): Promise<unknown> {
  try {
    return JSON.parse(await getText(url, ca, signal)) as unknown
  } catch (error) {
    throw new Error(`Get ${JSON.stringify(url)}: ${goReason(signal.aborted ? (signal.reason as unknown) : error)}`, { cause: error })
  }
}

async function getText(url: string, ca: string | undefined, signal: AbortSignal): Promise<string> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = https.get(url, { signal, agent: false, headers: { accept: 'application/json' }, ...(ca ? { ca } : {}) }, resolve)
    request.once('error', reject)
  })
  const parts: Buffer[] = []
  let size = 0
  for await (const part of answer as AsyncIterable<Buffer>) {
    size += part.length
    if (size > MAX_ANSWER) throw new Error(`the answer is longer than ${MAX_ANSWER} bytes`)
    parts.push(part)
  }
  if (answer.statusCode !== 200) throw new Error(`the answer is ${answer.statusCode ?? 0} ${answer.statusMessage ?? ''}`.trim())
  return Buffer.concat(parts).toString('utf8')
}
