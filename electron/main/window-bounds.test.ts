import { describe, expect, it } from 'vitest'
import { fitTo } from './window-bounds.ts'

const MAIN = { x: 0, y: 0, width: 1920, height: 1050 }
const RIGHT = { x: 1920, y: 0, width: 1280, height: 1024 }

describe('a window', () => {
  it('opens where it was, on the display that it was on', () => {
    const place = { x: 2000, y: 50, width: 1000, height: 700 }
    expect(fitTo(place, [MAIN, RIGHT])).toEqual(place)
  })

  it('opens on the main display when its own is unplugged', () => {
    expect(fitTo({ x: 2000, y: 50, width: 1000, height: 700 }, [MAIN])).toEqual({ width: 1000, height: 700 })
  })

  it('is never larger than its display, nor out of reach', () => {
    expect(fitTo({ x: 1950, y: 0, width: 1900, height: 1500 }, [MAIN, RIGHT])).toMatchObject({ width: 1280, height: 1024 })
    expect(fitTo({ x: 100, y: 1040, width: 800, height: 600 }, [MAIN])).toEqual({ width: 800, height: 600 })
    expect(fitTo({ x: -780, y: 10, width: 800, height: 600 }, [MAIN])).toEqual({ width: 800, height: 600 })
  })
})
