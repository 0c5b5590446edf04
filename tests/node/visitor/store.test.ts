import { describe, expect, test } from 'vitest'
import type { Bootstrap, WireMessage } from '../../../examples/visitor/api'
import type { VisitorEvent } from '../../../realtime/protocol/visitor-events.gen'
import type { Outgoing } from '../../../examples/visitor/outbox'
import {
  applyAnswer,
  applyBootstrap,
  applyEvent,
  applyHistory,
  EMPTY,
  isClosed,
  isGap,
  startNewChat,
  type State,
} from '../../../examples/visitor/store'

const wire = (id: number, fields: Partial<WireMessage> = {}): WireMessage => ({
  id,
  content: `message ${id}`,
  sender_type: 'USER',
  sender_name: 'Neema',
  created_at: '2026-05-24T09:00:00Z',
  ...fields,
})

const boot = (messages: WireMessage[], fields: Partial<Bootstrap> = {}): Bootstrap => ({
  centrifugo_url: '',
  connection_token: '',
  subscription_token: '',
  visitor_channel: '',
  engagement_id: 7,
  messages,
  ...fields,
})

const messageNew = (id: number, fields: object = {}, seq?: number) =>
  ({
    type: 'message.new',
    engagement_id: 7,
    event_id: `event-${id}`,
    ...(seq !== undefined && { seq }),
    data: {
      id,
      message_id: id,
      content: `message ${id}`,
      content_type: 'TEXT',
      sender: { type: 'USER', id: 17, name: 'Neema' },
      created_at: '2026-05-24T09:00:00Z',
      client_message_id: null,
      ...fields,
    },
  }) as unknown as VisitorEvent

const event = (type: string, data: object, engagement_id = 7) =>
  ({ type, engagement_id, event_id: type, data }) as unknown as VisitorEvent

const outgoing: Outgoing = {
  client_message_id: 'cm-1',
  content: 'Hello',
  created_at: '2026-05-24T09:00:00Z',
  state: 'sending',
  reason: null,
}
const own = { sender: { type: 'CONTACT', id: 3, name: null }, client_message_id: 'cm-1' }
const answer = {
  message_id: 5,
  engagement_id: 7,
  created_at: '2026-05-24T09:00:01Z',
  deduped: false,
}

const ids = (state: State) => state.messages.map((message) => message.id)
const loaded = applyBootstrap(EMPTY, boot([wire(1), wire(3)]))

describe('a message is shown once', () => {
  test('when its event follows the answer', () => {
    const state = applyEvent(applyAnswer(loaded, outgoing, answer), messageNew(5, own))
    expect(ids(state)).toEqual([1, 3, 5])
  })

  test('when its event overtakes the answer', () => {
    const state = applyAnswer(applyEvent(loaded, messageNew(5, own)), outgoing, answer)
    expect(ids(state)).toEqual([1, 3, 5])
    expect(state.messages[2]).toMatchObject({ clientMessageId: 'cm-1', sender: 'CONTACT' })
  })

  test('when the snapshot has it too', () => {
    const state = applyBootstrap(
      applyEvent(loaded, messageNew(5)),
      boot([wire(1), wire(3), wire(5)]),
    )
    expect(ids(state)).toEqual([1, 3, 5])
  })

  test('when its event is delivered twice', () => {
    const once = applyEvent(loaded, messageNew(5, {}, 9))
    expect(applyEvent(once, messageNew(5, {}, 9))).toBe(once)
  })
})

test('order is by id, whatever the order of arrival', () => {
  const state = [9, 2, 5].reduce((before, id) => applyEvent(before, messageNew(id)), loaded)
  expect(ids(state)).toEqual([1, 2, 3, 5, 9])
})

describe('a snapshot', () => {
  test('fills what was missed', () => {
    expect(ids(applyBootstrap(loaded, boot([wire(1), wire(2), wire(3), wire(4)])))).toEqual([
      1, 2, 3, 4,
    ])
  })

  test('takes away what was deleted meanwhile', () => {
    expect(
      ids(applyBootstrap(applyEvent(loaded, messageNew(5)), boot([wire(1), wire(5)]))),
    ).toEqual([1, 5])
  })

  test('keeps what came over the stream after it was read', () => {
    expect(
      ids(applyBootstrap(applyEvent(loaded, messageNew(8)), boot([wire(3), wire(5)]))),
    ).toEqual([1, 3, 5, 8])
  })

  test('keeps earlier pages that it reaches back to', () => {
    const paged = applyHistory(applyBootstrap(EMPTY, boot([wire(50)], { has_more: true })), {
      messages: [wire(10), wire(11)],
      has_more: false,
    })
    expect(ids(paged)).toEqual([10, 11, 50])
    const state = applyBootstrap(paged, boot([wire(50), wire(51)], { has_more: true }))
    expect(ids(state)).toEqual([10, 11, 50, 51])
    expect(state.hasMore).toBe(false)
  })

  test('leaves no hole where it does not reach back', () => {
    const state = applyBootstrap(loaded, boot([wire(90), wire(91)], { has_more: true }))
    expect(ids(state)).toEqual([90, 91])
    expect(state.hasMore).toBe(true)
  })

  test('without an open conversation ends the one we had', () => {
    expect(isClosed(applyBootstrap(loaded, boot([wire(3)], { engagement_id: 0 })))).toBe(true)
  })

  test('older than a first message on its way does not end its conversation', () => {
    const state = applyBootstrap(
      applyAnswer(EMPTY, outgoing, answer),
      boot([], { engagement_id: 0 }),
    )
    expect(isClosed(state)).toBe(false)
    expect(state.engagementId).toBe(7)
  })
})

describe('a closed chat', () => {
  const closedAt = { engagement_id: 7, closed_at: '2026-05-24T10:00:00Z', reason: null }
  const closed = applyEvent(loaded, event('engagement.closed', closedAt))

  test('is closed, and knows since when', () => {
    expect(isClosed(closed)).toBe(true)
    expect(closed.closed?.at).toBe('2026-05-24T10:00:00Z')
  })

  test('goes on when somebody writes', () => {
    expect(isClosed(applyEvent(closed, messageNew(5)))).toBe(false)
  })

  test('stays closed under a note of the system', () => {
    const note = messageNew(5, { sender: { type: 'SYSTEM', id: 0, name: null } })
    expect(isClosed(applyEvent(closed, note))).toBe(true)
  })

  test('goes on when it is reopened', () => {
    expect(isClosed(applyEvent(closed, event('engagement.reopened', { engagement_id: 7 })))).toBe(
      false,
    )
  })

  test('stays closed when an earlier send is answered late', () => {
    expect(isClosed(applyAnswer(closed, outgoing, answer))).toBe(true)
  })

  test('gives way to a new one with the answer of its first message', () => {
    const fresh = startNewChat(closed)
    expect([isClosed(fresh), fresh.engagementId]).toEqual([false, 0])
    expect(applyAnswer(fresh, outgoing, { ...answer, engagement_id: 8 }).engagementId).toBe(8)
    expect(ids(fresh)).toEqual([1, 3])
  })
})

test('numbers tell a gap; ephemeral events have none', () => {
  const state = applyEvent(loaded, messageNew(5, {}, 41))
  expect(isGap(loaded, messageNew(5, {}, 41))).toBe(false)
  expect(isGap(state, messageNew(6, {}, 42))).toBe(false)
  expect(isGap(state, messageNew(7, {}, 43))).toBe(true)
  expect(isGap(state, event('typing.started', {}))).toBe(false)
})

test('typing ends by its event or by the message', () => {
  const typing = applyEvent(loaded, event('typing.started', { sender_name: 'Neema' }))
  expect(typing.typing).toEqual({ name: 'Neema' })
  expect(applyEvent(typing, event('typing.stopped', {})).typing).toBeNull()
  expect(applyEvent(typing, messageNew(5)).typing).toBeNull()
  expect(applyEvent(typing, messageNew(5, own)).typing).toEqual({ name: 'Neema' })
})

test('who answers has read', () => {
  expect(applyEvent(loaded, messageNew(5)).readUpTo).toBe(5)
  expect(applyEvent(loaded, messageNew(5, own)).readUpTo).toBe(0)
})

test('reading only moves forward', () => {
  const read = applyEvent(loaded, event('message.read', { message_id: 3 }))
  expect(applyEvent(read, event('message.read', { message_id: 1 })).readUpTo).toBe(3)
  expect(applyBootstrap(read, boot([wire(3)], { read_up_to: 1 })).readUpTo).toBe(3)
})

test('the agent is who was assigned last', () => {
  const agent = { id: 17, name: 'Neema' }
  expect(
    applyEvent(loaded, event('engagement.assigned', { engagement_id: 7, agent })).agent,
  ).toEqual(agent)
})

test('an event of a newer server changes nothing', () => {
  expect(applyEvent(loaded, event('weather.changed', {}))).toBe(loaded)
})
