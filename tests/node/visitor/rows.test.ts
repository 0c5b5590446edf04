import { expect, test } from 'vitest'
import { toRows, type MessageRow, type Row } from '../../../examples/visitor/rows'
import { EMPTY, type Message, type State } from '../../../examples/visitor/store'

const at = (minutes: number) => new Date(Date.UTC(2026, 4, 24, 9, minutes)).toISOString()

const message = (id: number, minutes: number, fields: Partial<Message> = {}): Message => ({
  id,
  clientMessageId: null,
  content: `message ${id}`,
  sender: 'USER',
  senderName: 'Neema',
  createdAt: at(minutes),
  ...fields,
})

const own = (id: number, minutes: number) =>
  message(id, minutes, { sender: 'CONTACT', senderName: null, clientMessageId: `cm-${id}` })

const state = (fields: Partial<State>): State => ({ ...EMPTY, ...fields })
const isMessage = (row: Row): row is MessageRow => row.kind === 'message'
const messageRows = (fields: Partial<State>) => toRows(state(fields)).filter(isMessage)

test('a time stands before the first message and after an hour of silence', () => {
  const rows = toRows(state({ messages: [message(1, 0), message(2, 59), message(3, 120)] }))
  expect(rows.map((row) => row.key)).toEqual(['time-id-1', 'id-1', 'id-2', 'time-id-3', 'id-3'])
})

test('messages of one speaker form a group', () => {
  const bot = message(3, 2, { sender: 'BOT', senderName: 'Kito' })
  const rows = messageRows({ messages: [message(1, 0), message(2, 1), bot, own(4, 3)] })
  expect(rows.map(({ author, isFirst, isLast }) => [author, isFirst, isLast])).toEqual([
    ['Neema', true, false],
    ['Neema', false, true],
    ['Kito, automated', true, true],
    ['You', true, true],
  ])
})

test('only the newest own message says how far it got', () => {
  const messages = [own(1, 0), own(2, 1), message(3, 2)]
  const kinds = (readUpTo: number) =>
    messageRows({ messages, readUpTo }).map(({ status }) => status?.kind)
  expect(kinds(1)).toEqual([undefined, 'sent', undefined])
  expect(kinds(2)).toEqual([undefined, 'read', undefined])
})

test('what is on its way stands below, under the key that it keeps', () => {
  const outgoing = [
    {
      client_message_id: 'cm-2',
      content: 'b',
      created_at: at(1),
      state: 'failed',
      reason: 'CONTENT_TOO_LONG',
    },
    {
      client_message_id: 'cm-3',
      content: 'c',
      created_at: at(2),
      state: 'waiting',
      reason: 'RATE_LIMITED',
    },
  ] as const
  const rows = messageRows({ messages: [message(1, 0)], outgoing })
  expect(rows.map(({ key, status }) => [key, status?.text])).toEqual([
    ['id-1', undefined],
    ['cm-2', 'Not sent. It is longer than 10,000 characters.'],
    ['cm-3', 'Many messages at once. This one waits a moment'],
  ])
})

test('a message that the store and the outbox both hold is one row', () => {
  const outgoing = [
    { client_message_id: 'cm-1', content: 'a', created_at: at(0), state: 'sending', reason: null },
  ] as const
  expect(messageRows({ messages: [own(1, 0)], outgoing })).toHaveLength(1)
})
