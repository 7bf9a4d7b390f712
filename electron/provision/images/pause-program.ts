/**
 * The program of the pause container, which holds a pod's namespaces: it waits, reaps children that others left behind (it is
 * PID 1 where a pod shares its process namespace), and leaves with 0 on TERM or INT. Written as machine code, so that no
 * compiler is needed anywhere:
 *
 *     rt_sigprocmask(SIG_BLOCK, {INT, TERM, CHLD})
 *     for (;;) {
 *       signal = rt_sigtimedwait({INT, TERM, CHLD}, no limit)
 *       if (signal == TERM || signal == INT) exit(0)
 *       while (wait4(-1, WNOHANG) > 0);
 *     }
 *
 * Signals are waited for and not handled: PID 1 gets no signal without a handler, but one that it blocks stays pending.
 */
import { staticElf, type Architecture } from './elf.ts'

const SIGINT = 2
const SIGTERM = 15
const SIGCHLD = 17
const MASK = (1 << (SIGINT - 1)) | (1 << (SIGTERM - 1)) | (1 << (SIGCHLD - 1))

export function pauseProgram(architecture: Architecture): Uint8Array {
  return staticElf(architecture, architecture === 'amd64' ? amd64() : arm64())
}

/** A piece of code, a place to jump to, or a jump to such a place; `jump` makes it from the distance in bytes from its own start. */
type Item = readonly number[] | { label: string } | { to: string; size: number; jump: (distance: number) => readonly number[] }

function assemble(items: readonly Item[]): Uint8Array {
  const labels = new Map<string, number>()
  let at = 0
  for (const item of items) {
    if ('label' in item) labels.set(item.label, at)
    else at += 'to' in item ? item.size : item.length
  }
  const code: number[] = []
  for (const item of items) {
    if ('label' in item) continue
    if (!('to' in item)) {
      code.push(...item)
      continue
    }
    const target = labels.get(item.to)
    if (target === undefined) throw new Error(`no label ${item.to}`)
    code.push(...item.jump(target - code.length))
  }
  return Uint8Array.from(code)
}

/** System calls: number in rax, arguments in rdi, rsi, rdx, r10. */
function amd64(): Uint8Array {
  const syscall = [0x0f, 0x05]
  const push32 = (value: number) => [0x68, value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >> 24) & 0xff]
  const push8 = (value: number) => [0x6a, value & 0xff]
  const popRax = [0x58]
  const popRdi = [0x5f]
  const popRdx = [0x5a]
  const popR10 = [0x41, 0x5a]
  const zeroEdi = [0x31, 0xff]
  const zeroEsi = [0x31, 0xf6]
  const zeroEdx = [0x31, 0xd2]
  const zeroR10d = [0x45, 0x31, 0xd2]
  const rsiFromRsp = [0x48, 0x89, 0xe6]
  const rdiFromRsp = [0x48, 0x89, 0xe7]
  const cmpEax = (value: number) => [0x83, 0xf8, value]
  const testEax = [0x85, 0xc0]
  const short = (opcode: number, to: string): Item => ({ to, size: 2, jump: (distance) => [opcode, (distance - 2) & 0xff] })
  const je = (to: string) => short(0x74, to)
  const jg = (to: string) => short(0x7f, to)
  const jmp = (to: string) => short(0xeb, to)
  const call = (number: number) => [...push32(number), ...popRax, ...syscall]
  const RT_SIGPROCMASK = 14
  const EXIT = 60
  const WAIT4 = 61
  const RT_SIGTIMEDWAIT = 128
  return assemble([
    [...push32(MASK), ...rsiFromRsp, ...zeroEdi, ...zeroEdx, ...push8(8), ...popR10, ...call(RT_SIGPROCMASK)],
    { label: 'wait' },
    [...rdiFromRsp, ...zeroEsi, ...zeroEdx, ...push8(8), ...popR10, ...call(RT_SIGTIMEDWAIT)],
    cmpEax(SIGTERM),
    je('exit'),
    cmpEax(SIGINT),
    je('exit'),
    { label: 'reap' },
    [...push8(-1), ...popRdi, ...zeroEsi, ...push8(1), ...popRdx, ...zeroR10d, ...call(WAIT4)],
    testEax,
    jg('reap'),
    jmp('wait'),
    { label: 'exit' },
    [...zeroEdi, ...call(EXIT)],
  ])
}

/** System calls: number in x8, arguments in x0 to x3. */
function arm64(): Uint8Array {
  const word = (value: number) => [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, (value >>> 24) & 0xff]
  const movz = (register: number, value: number) => word((0xd2800000 | (value << 5) | register) >>> 0)
  const movkHigh = (register: number, value: number) => word((0xf2a00000 | (value << 5) | register) >>> 0)
  const minusOne = (register: number) => word((0x92800000 | register) >>> 0)
  const fromSp = (register: number) => word((0x910003e0 | register) >>> 0)
  const pushX0 = word(0xf81f0fe0)
  const cmpW0 = (value: number) => word((0x7100001f | (value << 10)) >>> 0)
  const conditional = (condition: number, to: string): Item => ({
    to,
    size: 4,
    jump: (distance) => word((0x54000000 | (((distance / 4) & 0x7ffff) << 5) | condition) >>> 0),
  })
  const beq = (to: string) => conditional(0, to)
  const bgt = (to: string) => conditional(12, to)
  const b = (to: string): Item => ({ to, size: 4, jump: (distance) => word((0x14000000 | ((distance / 4) & 0x3ffffff)) >>> 0) })
  const call = (number: number) => [...movz(8, number), ...word(0xd4000001)]
  const EXIT = 93
  const RT_SIGPROCMASK = 135
  const RT_SIGTIMEDWAIT = 137
  const WAIT4 = 260
  return assemble([
    [...movz(0, MASK & 0xffff), ...movkHigh(0, MASK >>> 16), ...pushX0],
    [...movz(0, 0), ...fromSp(1), ...movz(2, 0), ...movz(3, 8), ...call(RT_SIGPROCMASK)],
    { label: 'wait' },
    [...fromSp(0), ...movz(1, 0), ...movz(2, 0), ...movz(3, 8), ...call(RT_SIGTIMEDWAIT)],
    cmpW0(SIGTERM),
    beq('exit'),
    cmpW0(SIGINT),
    beq('exit'),
    { label: 'reap' },
    [...minusOne(0), ...movz(1, 0), ...movz(2, 1), ...movz(3, 0), ...call(WAIT4)],
    cmpW0(0),
    bgt('reap'),
    b('wait'),
    { label: 'exit' },
    [...movz(0, 0), ...call(EXIT)],
  ])
}
