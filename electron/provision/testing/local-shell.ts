import { spawn } from 'node:child_process'
import type { ExecOptions, ExecResult, Shell } from '../ssh/exec.ts'

/** Runs scripts on this computer, as a machine's shell would, with `home` as the user's home. */
export function localShell(home: string): Shell {
  return {
    exec(script: string, options: ExecOptions = {}): Promise<ExecResult> {
      return new Promise((resolve, reject) => {
        const child = spawn('/bin/sh', ['-c', script], { env: { PATH: process.env['PATH'], HOME: home }, cwd: home })
        const out = { stdout: '', stderr: '' }
        child.stdout.on('data', (chunk: Buffer) => (out.stdout += chunk.toString()))
        child.stderr.on('data', (chunk: Buffer) => (out.stderr += chunk.toString()))
        child.on('error', reject)
        child.on('close', (code) => resolve({ code: code ?? 255, ...out }))
        child.stdin.on('error', () => undefined)
        void feed(options.stdin, (chunk) => void child.stdin.write(chunk)).then(
          () => child.stdin.end(),
          (error: unknown) => {
            // What a machine sees of a broken connection: its input ends early.
            child.stdin.end()
            reject(error)
          },
        )
      })
    },
  }
}

async function feed(stdin: ExecOptions['stdin'], write: (chunk: Uint8Array) => void): Promise<void> {
  if (typeof stdin === 'string') write(Buffer.from(stdin))
  else if (stdin instanceof Uint8Array) write(stdin)
  else if (stdin) for await (const chunk of stdin) write(chunk)
}

/** Answers each script with the next result and keeps what was asked. */
export function scriptedShell(...results: Partial<ExecResult>[]): Shell & { readonly scripts: string[]; readonly inputs: string[] } {
  const scripts: string[] = []
  const inputs: string[] = []
  return {
    scripts,
    inputs,
    async exec(script, options = {}) {
      scripts.push(script)
      const chunks: Uint8Array[] = []
      await feed(options.stdin, (chunk) => void chunks.push(chunk))
      inputs.push(Buffer.concat(chunks).toString())
      return { code: 0, stdout: '', stderr: '', ...results.shift() }
    },
  }
}
