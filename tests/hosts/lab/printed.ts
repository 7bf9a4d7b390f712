import type { ShellSession } from '../../../electron/provision/ssh/shell.ts'

/** All that a shell prints, until it ends. */
export async function printed(output: ShellSession['output']): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const { bytes } of output) parts.push(bytes)
  return Buffer.concat(parts).toString()
}
