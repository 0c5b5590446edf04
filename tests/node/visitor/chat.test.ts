import { beforeEach, describe, expect, test, vi } from 'vitest'
import { createCall, type Bootstrap } from '../../../examples/visitor/api'
import { createChat } from '../../../examples/visitor/chat'
import type { openRealtime } from '../../../examples/visitor/realtime'
import type { State } from '../../../examples/visitor/store'
import { BOOTSTRAP, FakeServer, fakeStorage, INIT, MESSAGES, refused } from './fakes'

const TYPING = '/v1/webchat/typing'

let server: FakeServer
let state: State
let boot: Partial<Bootstrap>
/** What the example gave to its latest stream, to play the server's side. */
let stream: Parameters<typeof openRealtime>[1]
let streams: { close(): void }[]

const settle = () => vi.advanceTimersByTimeAsync(0)

function createSubject() {
  return createChat({
    call: createCall('https://chat.test'),
    memory: fakeStorage()(),
    widgetKey: 'wk',
    onChange: (next) => (state = next),
    openStream: (_, options) => {
      stream = options
      streams.push({ close: vi.fn() })
      return streams.at(-1)!
    },
  })
}

async function startOnline() {
  const chat = createSubject()
  await chat.start()
  stream.onConnection('online')
  return chat
}

const ownEvent = (clientMessageId: string) =>
  ({
    type: 'message.new',
    engagement_id: 7,
    event_id: 'e1',
    seq: 1,
    data: {
      id: 5,
      message_id: 5,
      content: 'Hello',
      sender: { type: 'CONTACT', id: 1, name: null },
      created_at: '2026-05-24T09:00:00Z',
      client_message_id: clientMessageId,
    },
  }) as never

beforeEach(() => {
  vi.useFakeTimers()
  server = new FakeServer()
  streams = []
  boot = { engagement_id: 0, messages: [] }
  server.on(BOOTSTRAP, () => ({ status: 200, body: boot }))
  server.on(TYPING, () => ({ status: 204 }))
  server.on(MESSAGES, ({ body }) => ({
    status: 201,
    body: {
      message_id: 4 + server.to(MESSAGES).length,
      engagement_id: body.engagement_id || 7,
      created_at: '2026-05-24T09:00:00Z',
    },
  }))
})

test('it opens, and the second message names the conversation that the first began', async () => {
  const chat = await startOnline()
  expect(state).toMatchObject({ isLoaded: true, connection: 'online' })
  chat.send('one')
  chat.send('two')
  await settle()
  expect(server.to(MESSAGES).map(({ body }) => body.engagement_id)).toEqual([0, 7])
  expect(state.messages.map(({ content }) => content)).toEqual(['one', 'two'])
  expect(state.outgoing).toEqual([])
})

test('a message whose answer is lost is shown once, by its event', async () => {
  const chat = await startOnline()
  server.on(MESSAGES, () => 'offline')
  chat.send('Hello')
  await settle()
  stream.onEvent(ownEvent(server.to(MESSAGES)[0]!.body.client_message_id))
  expect(state.messages).toHaveLength(1)
  expect(state.outgoing).toEqual([])
})

test('an unreachable server is tried again until it answers', async () => {
  server.on(BOOTSTRAP, () => refused(500, 'INTERNAL'))
  await createSubject().start()
  await vi.advanceTimersByTimeAsync(5_000)
  expect(state).toMatchObject({ isLoaded: false, connection: 'offline', problem: null })
  server.on(BOOTSTRAP, () => ({ status: 200, body: boot }))
  await vi.advanceTimersByTimeAsync(30_000)
  expect(state.isLoaded).toBe(true)
  expect(streams).toHaveLength(1)
})

test('a refusal says what to do, and is not repeated', async () => {
  server.on(INIT, () => refused(403, 'ORIGIN_NOT_ALLOWED'))
  const chat = createSubject()
  await chat.start()
  expect(state.problem?.text).toContain('https://shop.test')
  chat.send('Hello')
  await vi.advanceTimersByTimeAsync(60_000)
  expect(server.to(INIT)).toHaveLength(1)
  expect(server.to(MESSAGES)).toEqual([])
})

test('a short gap is no news, a longer one is', async () => {
  await startOnline()
  stream.onConnection('connecting')
  await vi.advanceTimersByTimeAsync(1_999)
  expect(state.connection).toBe('online')
  await vi.advanceTimersByTimeAsync(1)
  expect(state.connection).toBe('offline')
  stream.onConnection('online')
  expect(state.connection).toBe('online')
})

test('what the stream could not recover comes by snapshot', async () => {
  await startOnline()
  boot = { engagement_id: 7, messages: [{ id: 3, content: 'missed' } as never] }
  stream.onGap()
  await settle()
  expect(state.messages.map(({ content }) => content)).toEqual(['missed'])
})

test('the numbers of a stream that begins anew are not taken for old ones', async () => {
  await startOnline()
  stream.onEvent({ type: 'engagement.reopened', engagement_id: 7, seq: 40, data: {} } as never)
  stream.onGap()
  stream.onEvent(ownEvent('cm-1'))
  await settle()
  expect(state.messages).toHaveLength(1)
})

test('a gap in the numbers asks for a snapshot', async () => {
  await startOnline()
  stream.onEvent({ type: 'engagement.reopened', engagement_id: 7, seq: 1, data: {} } as never)
  stream.onEvent({ type: 'engagement.reopened', engagement_id: 7, seq: 2, data: {} } as never)
  expect(server.to(BOOTSTRAP)).toHaveLength(1)
  stream.onEvent({ type: 'engagement.reopened', engagement_id: 7, seq: 4, data: {} } as never)
  await settle()
  expect(server.to(BOOTSTRAP)).toHaveLength(2)
})

test('both tokens come from one bootstrap', async () => {
  await startOnline()
  await Promise.all([stream.bootstrap(), stream.bootstrap()])
  expect(server.to(BOOTSTRAP)).toHaveLength(2)
})

test('a refused connection is begun anew, once', async () => {
  await startOnline()
  stream.onRefused()
  stream.onRefused()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(streams).toHaveLength(2)
  expect(streams[0]?.close).toHaveBeenCalled()
})

test('a revoked session is forgotten and not begun anew', async () => {
  boot = { engagement_id: 7, messages: [] }
  const chat = await startOnline()
  stream.onGap() // its snapshot is under way
  stream.onRevoked()
  chat.send('Hello')
  chat.saySeen(3)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(state.problem?.title).toBe('This chat was ended by an agent')
  expect(server.to(INIT)).toHaveLength(1)
})

test('a conversation that is no longer ours is learned anew for the next attempt', async () => {
  boot = { engagement_id: 7, messages: [] }
  const chat = await startOnline()
  const accept = server.handlers[MESSAGES]!
  server.on(MESSAGES, (request) =>
    request.body.engagement_id === 7 ? refused(403, 'ENGAGEMENT_FORBIDDEN') : accept(request),
  )
  boot = { engagement_id: 9, messages: [] }
  chat.send('Hello')
  await settle()
  const [failed] = state.outgoing
  expect(failed).toMatchObject({ state: 'failed', reason: 'ENGAGEMENT_FORBIDDEN' })
  chat.retry(failed!.client_message_id)
  await settle()
  expect(server.to(MESSAGES).at(-1)?.body.engagement_id).toBe(9)
  expect(state.outgoing).toEqual([])
})

describe('typing', () => {
  test('of an agent fades when its end is lost', async () => {
    await startOnline()
    stream.onEvent({
      type: 'typing.started',
      engagement_id: 7,
      data: { sender_name: 'Neema' },
    } as never)
    expect(state.typing).toEqual({ name: 'Neema' })
    await vi.advanceTimersByTimeAsync(7_000)
    expect(state.typing).toBeNull()
  })

  test('of the visitor is told only within a conversation', async () => {
    const chat = await startOnline()
    chat.sayTyping('start')
    await settle()
    expect(server.to(TYPING)).toEqual([])
    chat.send('Hello')
    await settle()
    chat.sayTyping('start')
    await settle()
    expect(server.to(TYPING)[0]?.body).toEqual({ engagement_id: 7, state: 'start' })
  })
})

test('earlier pages are asked for by the oldest id', async () => {
  boot = { engagement_id: 7, has_more: true, messages: [{ id: 60 } as never, { id: 61 } as never] }
  server.on(`${MESSAGES}?before=60&limit=50`, () => ({
    status: 200,
    body: { messages: [{ id: 10 }, { id: 11 }], has_more: false },
  }))
  const chat = await startOnline()
  await chat.loadEarlier()
  expect(state.messages.map(({ id }) => id)).toEqual([10, 11, 60, 61])
  expect(state.hasMore).toBe(false)
})
