import { beforeEach, expect, test, vi } from 'vitest'
import { createTypingSignal, type TypingSignal } from '../../../examples/visitor/typing'

let sent: [string, number][]
let typing: TypingSignal

const pass = (ms: number) => vi.advanceTimersByTime(ms)

beforeEach(() => {
  vi.useFakeTimers({ now: 100_000 })
  sent = []
  typing = createTypingSignal((state) => sent.push([state, Date.now() - 100_000]))
})

test('a start is said once, and its end after five idle seconds', () => {
  typing.typed('H')
  pass(100)
  typing.typed('He')
  pass(10_000)
  expect(sent).toEqual([
    ['start', 0],
    ['stop', 5_100],
  ])
})

test('who goes on typing is said again before the server forgets', () => {
  for (let i = 0; i < 100; i++) {
    typing.typed('Hello')
    pass(100)
  }
  expect(sent.map(([state]) => state)).toEqual(['start', 'start', 'start'])
  expect(sent[1]![1] - sent[0]![1]).toBeLessThan(6_000)
})

test('nothing is said more than once a second', () => {
  typing.typed('H')
  pass(0)
  typing.stopped()
  typing.typed('H')
  typing.stopped()
  pass(20_000)
  expect(sent).toEqual([
    ['start', 0],
    ['stop', 1_000],
  ])
})

test('an emptied composer is the end of typing', () => {
  typing.typed('H')
  pass(2_000)
  typing.typed('  ')
  pass(0)
  expect(sent.at(-1)).toEqual(['stop', 2_000])
})
