import { beforeEach, describe, expect, test, vi } from 'vitest'
import { ApiError } from '../../../examples/visitor/api'
import { createOutbox, retryDelayMs, type Outgoing } from '../../../examples/visitor/outbox'
import type { Memory } from '../../../examples/visitor/storage'
import { fakeStorage } from './fakes'

const offline = () => new ApiError(0, 'NO_CONNECTION', '')
const limited = (seconds: number) => new ApiError(429, 'RATE_LIMITED', '', seconds)
const tooLong = () => new ApiError(400, 'CONTENT_TOO_LONG', '')

let open: () => Memory
let shown: readonly Outgoing[]
let send: ReturnType<typeof vi.fn<(message: Outgoing) => Promise<void>>>

const start = () => createOutbox({ memory: open(), send, onChange: (next) => (shown = next) })
const sent = () => send.mock.calls.map(([message]) => message.content)
const ids = () => send.mock.calls.map(([message]) => message.client_message_id)
const states = () => shown.map(({ content, state, reason }) => [content, state, reason])
const settle = () => vi.advanceTimersByTimeAsync(0)

beforeEach(() => {
  vi.useFakeTimers()
  open = fakeStorage()
  shown = []
  send = vi.fn(async () => undefined)
})

test('a message goes out and is forgotten', async () => {
  start().add('Hello')
  expect(states()).toEqual([['Hello', 'sending', null]])
  await settle()
  expect(sent()).toEqual(['Hello'])
  expect(shown).toEqual([])
  expect(open().keys('')).toEqual([])
})

test('messages go one at a time, in the order of writing', async () => {
  let finish = () => {}
  send.mockImplementationOnce(() => new Promise((resolve) => (finish = resolve)))
  const outbox = start()
  outbox.add('one')
  outbox.add('two')
  outbox.add('three')
  await settle()
  expect(sent()).toEqual(['one'])
  finish()
  await settle()
  expect(sent()).toEqual(['one', 'two', 'three'])
})

test('a lost answer is repeated under the same id, and nothing overtakes it', async () => {
  send.mockRejectedValueOnce(offline()).mockRejectedValueOnce(offline())
  const outbox = start()
  outbox.add('one')
  outbox.add('two')
  await settle()
  expect(states()).toEqual([
    ['one', 'waiting', 'NO_CONNECTION'],
    ['two', 'waiting', null],
  ])
  await vi.advanceTimersByTimeAsync(10_000)
  expect(sent()).toEqual(['one', 'one', 'one', 'two'])
  expect(new Set(ids()).size).toBe(2)
})

test('the delay doubles up to half a minute and is jittered', () => {
  expect([0, 1, 2, 10].map((attempt) => retryDelayMs(attempt, 1))).toEqual([
    1000, 2000, 4000, 30_000,
  ])
  expect(retryDelayMs(0, 0)).toBe(500)
})

test('a connection that is back sends at once', async () => {
  send.mockRejectedValueOnce(offline())
  const outbox = start()
  outbox.add('one')
  await settle()
  outbox.resume()
  await settle()
  expect(sent()).toEqual(['one', 'one'])
  expect(shown).toEqual([])
})

test('Retry-After holds everything, also against a connection that is back', async () => {
  send.mockRejectedValueOnce(limited(7))
  const outbox = start()
  outbox.add('one')
  await settle()
  expect(states()).toEqual([['one', 'waiting', 'RATE_LIMITED']])
  outbox.resume()
  outbox.add('two')
  await vi.advanceTimersByTimeAsync(6_999)
  expect(sent()).toEqual(['one'])
  await vi.advanceTimersByTimeAsync(1)
  expect(sent()).toEqual(['one', 'one', 'two'])
})

describe('a refused message', () => {
  beforeEach(() => {
    send.mockRejectedValueOnce(tooLong())
  })

  test('fails and lets the next one pass', async () => {
    const outbox = start()
    outbox.add('long')
    outbox.add('short')
    await settle()
    expect(states()).toEqual([['long', 'failed', 'CONTENT_TOO_LONG']])
    expect(sent()).toEqual(['long', 'short'])
  })

  test('goes again under its id when the visitor asks', async () => {
    const outbox = start()
    outbox.add('long')
    await settle()
    outbox.retry(ids()[0]!)
    await settle()
    expect(ids()[1]).toBe(ids()[0])
    expect(shown).toEqual([])
  })

  test('is forgotten when the visitor gives it up', async () => {
    const outbox = start()
    outbox.add('long')
    await settle()
    outbox.discard(ids()[0]!)
    expect(shown).toEqual([])
    expect(open().keys('')).toEqual([])
  })

  test('stays failed over a reload', async () => {
    start().add('long')
    await settle()
    start().resume()
    await settle()
    expect(states()).toEqual([['long', 'failed', 'CONTENT_TOO_LONG']])
    expect(sent()).toEqual(['long'])
  })
})

test('what was on its way when the page was reloaded goes out again, in order, under its ids', async () => {
  send.mockImplementationOnce(() => new Promise(() => {}))
  const before = start()
  before.add('one')
  before.add('two')
  await settle()

  const after = start()
  expect(states()).toEqual([
    ['one', 'waiting', null],
    ['two', 'waiting', null],
  ])
  after.resume()
  await settle()
  expect(sent()).toEqual(['one', 'one', 'two'])
  expect(ids()[1]).toBe(ids()[0])
})

test('the event of a message whose answer is lost ends it', async () => {
  send.mockRejectedValueOnce(offline())
  const outbox = start()
  outbox.add('one')
  await settle()
  outbox.confirm(ids()[0]!)
  expect(shown).toEqual([])
  await vi.advanceTimersByTimeAsync(60_000)
  expect(sent()).toEqual(['one'])
})

test('an event that overtakes the answer does not confuse what follows', async () => {
  let finish = () => {}
  send.mockImplementationOnce(() => new Promise((resolve) => (finish = resolve)))
  const outbox = start()
  outbox.add('one')
  outbox.add('two')
  outbox.confirm(ids()[0]!)
  finish()
  await settle()
  expect(sent()).toEqual(['one', 'two'])
  expect(shown).toEqual([])
})

test('two tabs keep their messages apart in storage', async () => {
  send.mockRejectedValue(offline())
  start().add('from the first')
  start().add('from the second')
  await settle()
  start()
  expect(states().map(([content]) => content)).toEqual(['from the first', 'from the second'])
})
