import { describe, expect, it } from 'vitest'
import { search, type Entry } from './palette.ts'

const entry = (text: string, note = ''): Entry => ({ id: text, group: 'go', text, note, icon: 'pod', run: () => undefined })
const ALL = [entry('Pods'), entry('Deployments'), entry('shop/web-1', 'Pod'), entry('shop/api-1', 'Pod'), entry('Add machine')]

describe('the palette', () => {
  it('offers everything in order when nothing is typed', () => {
    expect(search(ALL, '', 2).map((e) => e.text)).toEqual(['Pods', 'Deployments'])
  })
  it('puts the start of a word before its middle', () => {
    expect(search(ALL, 'po', 9).map((e) => e.text)).toEqual(['Pods', 'shop/web-1', 'shop/api-1'])
    expect(search([entry('xpods'), entry('pods')], 'pods', 9)[0]?.text).toBe('pods')
  })
  it('wants each word, wherever it is', () => {
    expect(search(ALL, 'web pod', 9).map((e) => e.text)).toEqual(['shop/web-1'])
    expect(search(ALL, 'web deployment', 9)).toEqual([])
  })
})
