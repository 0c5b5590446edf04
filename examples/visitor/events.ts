/** Events of the visitor's channel, as far as this client reads them. */

interface Envelope<Type extends string, Data> {
  type: Type
  engagement_id: number
  event_id: string
  seq?: number
  data: Data
}

interface Sender {
  type: 'CONTACT' | 'USER' | 'BOT' | 'SYSTEM'
  id: number | null
  name: string | null
}

interface Person {
  id: number
  name: string
}

interface NewMessage {
  id: number
  message_id: number
  content: string
  content_type: string
  sender: Sender
  created_at: string
  parent_message_id?: number | null
  client_message_id: string | null
  attachments?: { url: string; name: string; size: number }[]
}

export type VisitorEvent =
  | Envelope<'message.new', NewMessage>
  | Envelope<'message.read', { engagement_id: number; reader_type: string; message_id: number }>
  | Envelope<
      'typing.started',
      { sender_type: string; sender_id: number; sender_name: string | null }
    >
  | Envelope<'typing.stopped', { sender_type: string; sender_id: number }>
  | Envelope<'engagement.assigned', { engagement_id: number; agent: Person }>
  | Envelope<
      'engagement.closed',
      { engagement_id: number; closed_at: string; reason: string | null }
    >
  | Envelope<'engagement.reopened', { engagement_id: number }>
  | Envelope<'session.revoked', object>
