import { createInterface } from 'node:readline/promises'

/** Whether a person can be asked. */
export const canAsk = () => process.stdin.isTTY === true && process.stderr.isTTY === true

export async function ask(question: string, signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await lines.question(question, { signal })
  } finally {
    lines.close()
  }
}

/** Asks without showing what is typed. */
export async function askSecret(question: string, signal: AbortSignal): Promise<string> {
  process.stderr.write(question)
  process.stdin.setRawMode(true)
  process.stdin.resume()
  try {
    return await new Promise((resolve, reject) => {
      let text = ''
      const done = () => {
        process.stdin.off('data', onData)
        signal.removeEventListener('abort', onAbort)
      }
      const onAbort = () => {
        done()
        reject(signal.reason as Error)
      }
      const onData = (chunk: Buffer) => {
        for (const char of chunk.toString('utf8')) {
          if (char === '\r' || char === '\n') {
            done()
            return resolve(text)
          }
          if (char === '\u0003') {
            done()
            return reject(new DOMException('interrupted', 'AbortError'))
          }
          text = char === '\u007f' ? text.slice(0, -1) : text + char
        }
      }
      process.stdin.on('data', onData)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  } finally {
    process.stdin.setRawMode(false)
    process.stdin.pause()
    process.stderr.write('\n')
  }
}
